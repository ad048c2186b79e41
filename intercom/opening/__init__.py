"""Who may open the door: the one decision, and the one opener that asks it.

Begin with `decision.py`.
"""
