"""The relays of the door and the chime: their pins, and the guard process and kernel deadline that turn them off.

Begin with `relay_watchdog_control.py`.
"""
