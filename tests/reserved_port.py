"""A port that is this test's own also before and after a server listens at it: it is held bound."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Yield a TCP port that the kernel gives to nobody else meanwhile.

    A server that sets SO_REUSEADDR, as all of ours do, listens at it all the same; while none does, it is closed.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, 0))
        yield held.getsockname()[1]
