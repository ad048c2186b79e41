"""The control socket, over which commands on this machine talk to the running door station.

Begin with `protocol.py`, then `server.py`.

`protocol` is the language, without I/O; `server` answers out of handlers that it is given; `client` asks, without
asyncio, so that a command starts in no time; `ssh_gate` and `ssh_keys` let chosen commands in over SSH.
"""
