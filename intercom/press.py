"""A press that was taken: whom it rings, until when, and how it is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from intercom.signalwire import WebRTCCall

SHORTEST_PAUSE_S = 0.5
"""Pause before the house is dialled anew: after an outage the door is often back before its phones and pages."""
LONGEST_PAUSE_S = 2.0
"""Limit of that pause, which doubles: each attempt opens media, and a small board has other work."""


@dataclass
class Press:
    """It rings whoever comes (back) until its time is over, whatever dies in between. Belongs to the event loop."""

    ticket: int
    address: str
    "whom it rings"
    until: float
    "when its time is over; the event loop's clock"
    cause: str = "NORMAL_TEMPORARY_FAILURE"
    "why its last attempt ended"
    call: WebRTCCall | None = None
    "the last call that the service had for it"
    answered: bool = False
    given_up: str = ""
    "the cause with which somebody gave it up"
    hopes: bool = False
    "nobody was there, and it is tried anew"
    _pause_s: float = SHORTEST_PAUSE_S
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _dialling: asyncio.Timeout | None = None

    async def dial(self, dialling: Awaitable[WebRTCCall]) -> WebRTCCall:
        """What `dialling` brings; TimeoutError when its time is over, or it was given up, before."""
        try:
            async with asyncio.timeout_at(self.until) as self._dialling:
                return await dialling
        finally:
            self._dialling = None

    async def pause(self) -> bool:
        """Wait until it is worth dialling anew; False when its time is over, or it was given up."""
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
        """Something is better now: pause no longer."""
        self._woken.set()

    def give_up(self, cause: str) -> None:
        """Neither dial nor pause any longer; a call that lives is for its owner to end."""
        self.given_up = cause
        self._woken.set()
        if self._dialling is not None:
            self._dialling.reschedule(asyncio.get_running_loop().time())
