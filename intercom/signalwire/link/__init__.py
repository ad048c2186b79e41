"""The connection to the service: opens it, keeps it, and reconnects when the network changes.

Begin with `link.py`.
"""
