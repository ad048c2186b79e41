"""The command line: a table says each command once, and each other module carries out a command or a few.

Begin with `commands.py`, then `main.py`.
"""
