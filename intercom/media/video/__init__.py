"""The picture of a call: a camera's access units on a track, at the bit rate that the path allows.

Begin with `sender.py`.
"""
