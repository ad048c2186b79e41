"""The sound cards: lists them, opens their PCMs, recovers these, and sets the cards' own levels.

Begin with `pcm_line.py`.
"""
