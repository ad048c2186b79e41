"""Quiet hours and do-not-disturb: whose bell is off, until when, and who rings all the same.

Begin with `spells.py`.
"""
