"""The program as a system service: its run, systemd's notices and watchdog, its log, memory and user.

Begin with `run.py`.
"""
