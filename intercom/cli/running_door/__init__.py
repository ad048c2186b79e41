"""The commands for the running door station, which need nothing but its control socket.

Begin with `remote.py`.
"""
