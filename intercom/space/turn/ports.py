"""Finds free ports, and tells whether one is free."""

from __future__ import annotations

import socket


def free_port(address: str) -> int:
    """Return a port that is free for UDP and TCP."""
    while True:
        with _socket(address, socket.SOCK_DGRAM) as found:
            found.bind((address, 0))
            port = int(found.getsockname()[1])
            if _is_free(address, port, socket.SOCK_STREAM):
                return port


def is_free(address: str, port: int) -> bool:
    """Return whether a program could listen at this port, by UDP and by TCP."""
    return all(_is_free(address, port, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM))


def _is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    with _socket(address, kind) as tried:
        if kind == socket.SOCK_STREAM:  # connections that have ended hold nobody up
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((address, port))
        except OSError:
            return False
    return True


def _socket(address: str, kind: socket.SocketKind) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
