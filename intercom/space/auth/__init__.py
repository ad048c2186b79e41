"""Who belongs to the house: pairing, members, their credentials and their tokens.

Begin with `membership.py`.
"""
