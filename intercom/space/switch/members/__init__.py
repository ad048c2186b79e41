"""The members of the calls in the space: their state, their capabilities, and the methods that change them.

Begin with `members.py`.
"""
