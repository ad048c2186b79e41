"""The door's sound: the engine that moves it in blocks, its tones, levels and mixing.

Begin with `engine.py`.
"""
