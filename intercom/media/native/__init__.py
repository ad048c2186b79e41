"""What the sound path computes for every block, in C: NumPy's way of it takes many times the instructions.

Begin with `module.py`.
"""
