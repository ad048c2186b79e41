"""Opening a socket into a network that may be dead, or another one by now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from intercom.signalwire.errors import TransportError
from intercom.signalwire.transport import Connector, Socket

# A socket opens within a round trip or three; one that does not may wait for seconds to be tried again by the kernel.
ANEW_S = 0.7
AT_ONCE = 3


async def first_to_open(
    connector: Connector, url: str, certificate: str | None, close: Callable[[Socket], None]
) -> Socket:
    """The first socket that opens, or the first error; another is tried every `ANEW_S`. `close` gets the late ones.

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
    """What `opening` opens; raises `TransportError` as soon as the attempt is to be left. `close` gets what is late."""
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
