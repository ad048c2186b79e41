"""Telephone keys: telephone events, tones in the sound, and the echo of the door's own.

Begin with `heard_keys.py`.
"""
