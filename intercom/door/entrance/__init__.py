"""What is wired around the door: its contact, the tamper switch, the exit button, the second bell light.

Begin with `entrance.py`.
"""
