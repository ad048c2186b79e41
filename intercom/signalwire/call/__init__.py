"""One call: its dialog with the service, its media's recovery, its members and its controls.

Begin with `call.py`.
"""
