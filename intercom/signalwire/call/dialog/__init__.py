"""The dialog of a call with the service, without I/O; `run` joins it to the line and to the event loop.

Begin with `dialog.py`.
"""
