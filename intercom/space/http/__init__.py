"""The space's HTTP server: the listener, the filter of requests, its APIs, files and sockets.

Begin with `listener.py`.
"""
