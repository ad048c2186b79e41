"""Visitors' messages: taken when nobody answers, where the owner wants it, kept, and sent to the space.

Begin with `messages.py`.
"""
