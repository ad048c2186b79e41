"""The door's opening: the one decision whether somebody may open it, and the one opener that asks for it.

Begin with `decision.py`.
"""
