"""The members of one call: who they are, what is done to them, and what that does to our media.

Begin with `room.py`.
"""
