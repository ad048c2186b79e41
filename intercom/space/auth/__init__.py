"""The members of the house: their pairing, their credentials and their tokens.

Begin with `membership.py`.
"""
