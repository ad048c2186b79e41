"""Ports for programs that have to be told one before they take it.

Whoever can binds port 0 and asks which it was. What is found here lies below the ports that the kernel gives to whoever
asks for any, so that nobody gets it by chance between the look and the use.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 20_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port of this address that nobody has, for TCP and UDP."""
    above = int(EPHEMERAL.read_text().split()[0])
    while True:
        port = random.randrange(min(LOWEST, above // 2), above)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as tried:
                    tried.bind((address, port))
        except OSError:
            continue
        return port
