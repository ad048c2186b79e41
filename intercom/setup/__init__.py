"""The setup of a door: asks its owner, writes the configuration and puts it into effect.

Begin with `dialogue.py`.
"""
