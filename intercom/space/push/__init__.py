"""Web Push: wakes the house's sleeping phones when the door rings, and hears from them that they showed it.

Begin with `pushes.py`.
"""
