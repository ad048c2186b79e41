"""The calls between sessions: their legs and descriptions, why they end, and the file that keeps them.

Begin with `calls.py`.
"""
