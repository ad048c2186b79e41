"""Recording: sound, and the picture as the camera encodes it, in a file that a power cut only shortens.

Begin with `recorder.py`.
"""
