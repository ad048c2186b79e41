"""Ports for programs that have to be told one before they take it, or that take it a second time.

Whoever can binds port 0 and asks which it was. What is found here lies below the ports that the kernel gives to whoever
asks for any, so that nobody gets it by chance between the look and the use; or it is held meanwhile.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a TCP port of 127.0.0.1 that the kernel gives to nobody else meanwhile.

    A server that sets SO_REUSEADDR, as all of ours do, listens at it all the same; while none does, it is closed.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        yield port
