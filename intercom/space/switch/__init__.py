"""The space's switchboard, without I/O: sessions, calls, and what is said to each of them.

Begin with `exchange.py`.
"""
