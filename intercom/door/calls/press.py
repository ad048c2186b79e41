"""A press in progress: the address that it rings, its deadline, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from intercom.signalwire import WebRTCCall

SHORTEST_PAUSE_S = 0.5
"""First pause before redialling: after an outage the door is often back before the house's phones and pages."""
LONGEST_PAUSE_S = 2.0
"""Limit of that pause, which doubles: each attempt opens media, and a small board has other work."""


@dataclass
class Press:
    """A press, which rings until its deadline, even if calls or links fail meanwhile. Belongs to the event loop."""

    ticket: int
    address: str
    "the address that it rings"
    until: float
    "its deadline, on the event loop's clock"
    ring: str = ""
    "its id for the house, however often the door dials"
    cause: str = "NORMAL_TEMPORARY_FAILURE"
    "cause of its last attempt's end"
    call: WebRTCCall | None = None
    "the last call that the service accepted for it"
    answered: bool = False
    given_up: str = ""
    "the cause with which somebody gave it up"
    hopes: bool = False
    "nobody was there, and the door redials"
    _pause_s: float = SHORTEST_PAUSE_S
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _dialling: asyncio.Timeout | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """What the service is told of the press with each call: its id, and for how many seconds it still rings."""
        left_s = max(1, math.ceil(self.until - asyncio.get_running_loop().time()))
        return {"intercom": {"role": "door", "ring": self.ring, "for_s": left_s}}

    @contextlib.asynccontextmanager
    async def dialling(self) -> AsyncIterator[None]:
        """Bound what dials for the press; raises TimeoutError if the press ends or is given up before."""
        try:
            async with asyncio.timeout_at(self.until) as self._dialling:
                yield
        finally:
            self._dialling = None

    async def pause(self) -> bool:
        """Wait until the next redial; return False if the press has ended or was given up."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(self.until, loop.time() + self._pause_s)):
                await self._woken.wait()
        except TimeoutError:
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        else:
            self._woken.clear()
            self._pause_s = SHORTEST_PAUSE_S
        return not self.given_up and loop.time() < self.until

    def hurry(self) -> None:
        """End the pause now: the chances have improved."""
        self._woken.set()

    def give_up(self, cause: str) -> None:
        """End the dialling and the pauses; the owner of a live call ends that call."""
        self.given_up = cause
        self._woken.set()
        if self._dialling is not None:
            self._dialling.reschedule(asyncio.get_running_loop().time())
