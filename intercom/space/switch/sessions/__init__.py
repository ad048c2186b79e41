"""The sessions of subscribers: which clients are admitted, whether they are there, and what waits for them.

Begin with `sessions.py`.
"""
