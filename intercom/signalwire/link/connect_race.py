"""Opens a socket on a network that may be dead or may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from intercom.signalwire.errors import TransportError
from intercom.signalwire.link.transport import Connector, Socket

ANEW_S = 0.7
"""Interval between attempts: a socket opens within three round trips, or the kernel may take seconds to retry."""
AT_ONCE = 3


async def first_to_open(
    connector: Connector, url: str, certificate: str | None, close: Callable[[Socket], None]
) -> Socket:
    """Return the first socket that opens, or raise the first error; one starts every `ANEW_S`. `close` gets the rest.

    The first attempt is left all its time, for a network that is slow; of the others only the newest are kept.
    """
    attempts: list[asyncio.Task[Socket]] = []
    try:
        while True:
            attempts.append(asyncio.ensure_future(connector(url, certificate)))
            done, _ = await asyncio.wait(attempts, timeout=ANEW_S, return_when=asyncio.FIRST_COMPLETED)
            if done:
                first = done.pop()
                attempts.remove(first)
                return first.result()
            if len(attempts) >= AT_ONCE:
                _leave(attempts.pop(1), close)
    finally:
        for attempt in attempts:
            _leave(attempt, close)


def _leave(attempt: asyncio.Task[Socket], close: Callable[[Socket], None]) -> None:
    def close_late(left: asyncio.Task[Socket]) -> None:
        if not left.cancelled() and left.exception() is None:
            close(left.result())

    attempt.cancel()
    attempt.add_done_callback(close_late)


async def unless(left: asyncio.Event, opening: Coroutine[Any, Any, Socket], close: Callable[[Socket], None]) -> Socket:
    """Return the socket of `opening`, or raise `TransportError` once `left` is set; `close` gets a late one."""
    attempt, leaving = asyncio.ensure_future(opening), asyncio.ensure_future(left.wait())
    taken = False
    try:
        await asyncio.wait({attempt, leaving}, return_when=asyncio.FIRST_COMPLETED)
        taken = attempt.done()
    finally:
        leaving.cancel()
        if not taken:
            _leave(attempt, close)
            await asyncio.wait({attempt})
    if not taken:
        raise TransportError("The network changed.")
    return attempt.result()
