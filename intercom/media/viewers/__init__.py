"""Viewers: they only see through the camera, silent both ways, all from one encoder.

Begin with `viewers.py`.
"""
