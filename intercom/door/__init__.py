"""The door station: builds the parts, joins them, and decides what a press, a call and a fault lead to.

Begin with `appliance.py`, `state_table.py` and `calls/calls.py`.
"""
