"""What the sound path computes for every block, and a packet's way in and out, in C.

Python's and NumPy's way of it takes several times as much.

Begin with `module.py`.
"""
