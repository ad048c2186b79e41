"""The door's records: the journal of its facts, the call log and the figures that follow it, and the log's last lines.

Begin with `journal.py`.
"""
