"""The relay that opens the door: its pin, and the guard process and kernel deadline that turn it off.

Begin with `relay_watchdog_control.py`.
"""
