"""The command line: a table says each command once, and each other module carries out a command or a few.

Begin with `command_table.py`, then `main.py`.
"""
