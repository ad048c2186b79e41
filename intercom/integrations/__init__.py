"""The other systems of the house that the door speaks with, each in a room of its own, off until it is configured.

Begin with `access.py`.
"""
