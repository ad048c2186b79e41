"""Viewers: recorders and home automation that look through a door's camera with a token of their own.

Begin with `watching.py`.
"""
