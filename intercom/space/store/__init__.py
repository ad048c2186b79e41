"""What the space keeps: one SQLite file, its records and its tables.

Begin with `store.py`.
"""
