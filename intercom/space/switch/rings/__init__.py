"""The rings of the house: what one press causes on every page, and how it ended.

Begin with `ring.py`.
"""
