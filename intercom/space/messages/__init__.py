"""The visitors' messages that the space keeps: they come from the doors, and the house is told of each.

Begin with `messages.py`.
"""
