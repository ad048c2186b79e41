"""Raise an alarm while no keys open the door because somebody typed wrong codes: the house and its owner are told."""

from __future__ import annotations

import asyncio
from typing import Protocol

from intercom.door.health.faults import WRONG_CODES, Faults
from intercom.facts import DoorRefused
from intercom.history.journal import Entry
from intercom.opening.decision import Ruling


class Opener(Protocol):
    """The opener of the door."""

    @property
    def deaf_s(self) -> float:
        """Return for how long no keys open the door, after too many wrong codes."""


class Guesses:
    """Watches for too many wrong codes. Belongs to the event loop; `hear` takes what the journal tells."""

    def __init__(self, opener: Opener, faults: Faults) -> None:
        self._opener = opener
        self._faults = faults
        self._deaf = asyncio.Event()

    def hear(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        if entry.fact == DoorRefused(Ruling.WRONG_CODE) and self._opener.deaf_s > 0:
            self._deaf.set()

    async def run(self) -> None:
        """Raise the alarm, and end it when keys count again, for ever."""
        while True:
            await self._deaf.wait()
            self._deaf.clear()
            self._faults.begin(WRONG_CODES, f"no keys open the door for {self._opener.deaf_s:.0f} s")
            await asyncio.sleep(self._opener.deaf_s)
            self._faults.clear(WRONG_CODES)
