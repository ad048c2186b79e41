"""The language of the wire, without I/O: JSON-RPC, Verto, their messages, and the session that speaks them.

Begin with `session.py`.
"""
