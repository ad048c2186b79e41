"""The door's records: its journal of calls, openings and faults, the call log, and the log's last lines.

Begin with `journal.py`.
"""
