"""The door's health: its faults, the restarts that mend them, its status and its figures.

Begin with `faults.py`.
"""
