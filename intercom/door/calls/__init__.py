"""The door's calls: rings the house, answers, and keeps their time limits.

Begin with `calls.py`.
"""
