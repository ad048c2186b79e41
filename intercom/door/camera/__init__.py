"""What the door does with its camera: whether it may run, the picture of a press, and who sees the visitor.

Begin with `views.py`.
"""
