"""A press in progress: the step at which it rings, its deadline, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from intercom.door.calls.kept_press import KeptPress, PressBook
from intercom.door.calls.ring_plan import Walk
from intercom.signalwire import WebRTCCall

SHORTEST_PAUSE_S = 0.5
"""First pause before redialling: after an outage the door is often back before the house's phones and pages."""
LONGEST_PAUSE_S = 2.0
"""Limit of that pause, which doubles: each attempt opens media, and a small board has other work."""
PASSED_ON_S = 1.0
"""Limit of the time for which what is not the bell waits for it."""


@dataclass
class Press:
    """A press, which rings until its last step is over, even if calls or links fail meanwhile. Of the event loop."""

    ticket: int
    walk: Walk
    "its way through the steps of its plan, on the event loop's clock"
    ring: str = ""
    "its id for the house, however often the door dials"
    button: str = ""
    "name of its button"
    cause: str | None = None
    "cause of its last attempt's end; None before the first"
    kept: KeptPress | None = None
    "what the book knew of it as somebody gave it up"
    call: WebRTCCall | None = None
    "the last call that the service accepted for it"
    answered: bool = False
    given_up: str = ""
    "the cause with which somebody gave it up"
    hopes: bool = False
    "nobody was there, and the door redials"
    _pause_s: float = SHORTEST_PAUSE_S
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    "the service has been asked to ring for it, and has answered or not"
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _dialling: asyncio.Timeout | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """What the service is told of the press with each call: its id, and whom the step rings for how long."""
        step = self.walk.step
        left_s = max(1, math.ceil(self.walk.ends_at - asyncio.get_running_loop().time()))
        told: dict[str, Any] = {"role": "door", "ring": self.ring, "for_s": left_s}
        if self.button:
            told["button"] = self.button
        if step.ring[1:]:
            told["also"] = list(step.ring[1:])
        if step.refused == "device":
            told["refused"] = step.refused
        if self.walk.has_next:
            told["goes_on"] = True
        return {"intercom": told}

    @property
    def over(self) -> bool:
        """Whether it rings nobody any more."""
        return bool(self.given_up) or self.walk.over

    @property
    def final_cause(self) -> str:
        """The cause of its end: that of the call that was answered, or the one that says most of those in vain."""
        if self.given_up or self.answered or not self.walk.over:
            return self.given_up or self.cause or "NORMAL_TEMPORARY_FAILURE"
        return self.walk.cause or "NO_ANSWER"

    @contextlib.asynccontextmanager
    async def dialling(self) -> AsyncIterator[None]:
        """Bound what dials for the press; raises TimeoutError if the step ends or the press is given up before."""
        try:
            async with asyncio.timeout_at(self.walk.ends_at) as self._dialling:
                yield
        finally:
            self._dialling = None
            self.asked.set()

    async def is_to_dial(self, book: PressBook, show_hope: Callable[[], object]) -> bool:
        """Go on from where the last attempt has ended, and return whether to dial: once more, or for the next step."""
        clock = asyncio.get_running_loop().time
        if self.cause is not None and not self.answered and not self.given_up:
            at = self.walk.at
            self._stand(self.walk.ended(self.cause, clock()), book)
            if not self.over and self.walk.at == at:
                self.hopes = True
                show_hope()
                await self._pause()
                self._stand(self.walk.elapsed(clock()), book)
        return not (self.answered or self.over)

    def _stand(self, walk: Walk, book: PressBook) -> None:
        self.walk = walk
        if not self.given_up:
            book.goes_on(walk)

    async def _pause(self) -> None:
        """Wait until the next redial, at most until the step ends or the press is given up."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(self.walk.ends_at, loop.time() + self._pause_s)):
                await self._woken.wait()
        except TimeoutError:
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        else:
            self._woken.clear()
            self._pause_s = SHORTEST_PAUSE_S

    def hurry(self) -> None:
        """End the pause now: the chances have improved."""
        self._woken.set()

    def give_up(self, cause: str) -> None:
        """End the dialling and the pauses; the owner of a live call ends that call."""
        self.given_up = cause
        self._woken.set()
        if self._dialling is not None:
            self._dialling.reschedule(asyncio.get_running_loop().time())


async def passed_on(press: Press | None) -> None:
    """Wait until the service has been asked to ring for a press, if there is one; for `PASSED_ON_S` at the longest."""
    if press is not None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(press.asked.wait(), PASSED_ON_S)
