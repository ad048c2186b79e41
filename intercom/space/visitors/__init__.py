"""The visitors of the house: who rang when, how it ended, and a picture where `history` allows one.

Begin with `visitors.py`.
"""
