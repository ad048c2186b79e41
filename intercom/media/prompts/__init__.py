"""Sentences that the door speaks to the visitor: what they say, and the voice that speaks them.

Begin with `prompts.py`.
"""
