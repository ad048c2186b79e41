"""Echo cancellation: removes the speaker's sound from the microphone's.

Begin with `canceller.py`.
"""
