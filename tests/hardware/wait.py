"""Waiting for something that the kernel does in its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LOOK_AGAIN_S = 0.01


def until(happened: Callable[[], object], limit_s: float, what: str) -> None:
    """Return as soon as `happened()` is true; raise `TimeoutError` with `what` when it is not within `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit_s:g} s: {what}")
        time.sleep(LOOK_AGAIN_S)


async def eventually(happened: Callable[[], object], limit_s: float, what: str) -> None:
    """The same on an event loop, which goes on meanwhile."""
    patience = asyncio.timeout(limit_s)
    try:
        async with patience:
            while not happened():
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError:
        if not patience.expired():  # the look's own
            raise
        raise TimeoutError(f"not within {limit_s:g} s: {what}") from None
