"""Return a call's memory to the system once the door is at rest again, so that many calls take no more than one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from intercom.door.machine import Phase
from intercom.facts import StateChanged
from intercom.history.journal import Entry
from intercom.service import memory

REST_S = 5.0
"""Delay after a call's end: its connection is closed by then, and who rings again at once waits for nothing."""


async def return_memory() -> None:
    """Collect what the call has left, and return it to the system on a thread, which takes 50 ms on a PC."""
    memory.collect()
    await asyncio.to_thread(memory.trim)


class AfterCalls:
    """Waits for the end of each call. Belongs to the event loop; `hear` takes what the journal tells."""

    def __init__(self, rest: Callable[[], Awaitable[None]] = return_memory) -> None:
        self._rest = rest
        self._called = False
        self._over = asyncio.Event()

    def hear(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        if isinstance(entry.fact, StateChanged):
            if entry.fact.phase != Phase.NONE:
                self._called = True
                self._over.clear()
            elif self._called:
                self._over.set()

    async def run(self) -> None:
        """Return the memory of each call, for ever."""
        while True:
            await self._over.wait()
            await asyncio.sleep(REST_S)
            if self._over.is_set():  # nobody has called meanwhile
                self._called = False
                self._over.clear()
                await self._rest()
