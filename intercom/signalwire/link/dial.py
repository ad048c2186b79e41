"""Opens a TCP connection to a host name, even if the network or its name server is dead.

A lookup cannot be interrupted, and a dead name server holds it for half a minute. So each name is looked up once at a
time, in a thread of its own that no program waits for at its end: asyncio's few threads are for other work.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any

from aiohappyeyeballs import start_connection

from intercom.net import dialled

Infos = list[tuple[Any, ...]]
"""Addresses in the form that socket.getaddrinfo returns."""

NEXT_ADDRESS_S = 0.25
"""Time after which the next address is tried beside those that have not answered (RFC 8305, section 5)."""

_under_way: dict[tuple[str, int], Future[Infos]] = {}
_lock = threading.Lock()


async def dial(host: str, port: int) -> socket.socket:
    """Return a connection to the first address of `host` that answers; raises OSError."""
    looking = asyncio.wrap_future(_look_up(host, port))
    looking.add_done_callback(lambda done: done.exception())  # whoever was waiting may have left
    infos = await asyncio.shield(looking)
    return await start_connection(infos, happy_eyeballs_delay=NEXT_ADDRESS_S)


def _look_up(host: str, port: int) -> Future[Infos]:
    with _lock:
        lookup = _under_way.get((host, port))
        if lookup is None:
            lookup = _under_way[host, port] = Future()
            thread = threading.Thread(target=_find, args=(host, port, lookup), name=f"look up {host}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # no thread is to be had now
                del _under_way[host, port]
                lookup.set_exception(OSError(f"{host} cannot be looked up: {error}"))
        return lookup


def _find(host: str, port: int, lookup: Future[Infos]) -> None:
    """Run the lookup and conclude it with a result or an error; the next one of this name starts only then."""
    infos: Infos = []
    failure = None
    try:
        for name in dialled(host):
            infos += socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError as error:
        failure = error
    except (ValueError, OverflowError) as error:  # a label that is empty or too long is a UnicodeError
        failure = OSError(f"{host[:80]!r} is no name that can be looked up: {error}")
    with _lock:
        del _under_way[host, port]
    if failure is not None:
        lookup.set_exception(failure)
    else:
        lookup.set_result(infos)
