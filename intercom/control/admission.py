"""Decides which client is served next: a burst queues, and one user's clients never take every place."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

PLACES = 24
"""Limit of clients served at once: a few people, a scraper and some watchers."""
PLACES_OF_A_USER = 16
"""Limit of places that one user may hold; the others are for everybody else, root among them."""
WAITING_OF_A_USER = 64
"""Limit of one user's clients that wait for a place; more are refused at once."""
WAIT_S = 0.8
"""Limit of the wait for a place: a client expects the first word within a second, and an early refusal serves it
better."""


class Admission:
    """Holds a server's places and the queue for them; belongs to one event loop."""

    def __init__(self, *, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._served: Counter[int] = Counter()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @contextlib.asynccontextmanager
    async def place(self, user: int) -> AsyncIterator[bool]:
        """Hold a place for a client of this user; False: none became free in time, or too many wait already."""
        taken = await self._take(user)
        try:
            yield taken
        finally:
            if taken:
                self._give_back(user)

    async def _take(self, user: int) -> bool:
        if sum(waiting == user for waiting, _ in self._waiting) >= WAITING_OF_A_USER:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((user, turn))
        self._seat()
        try:
            await asyncio.wait({turn}, timeout=self._wait_s)
        except asyncio.CancelledError:
            if turn.done():
                self._give_back(user)
            raise
        finally:
            if not turn.done():
                self._waiting.remove((user, turn))
        return turn.done()

    def _give_back(self, user: int) -> None:
        self._served[user] -= 1
        self._seat()

    def _seat(self) -> None:
        """Give free places to the users with the fewest, and to each user's clients in the order they came."""
        while self._served.total() < PLACES:
            able = [waiting for waiting in self._waiting if self._served[waiting[0]] < PLACES_OF_A_USER]
            if not able:
                return
            user, turn = chosen = min(able, key=lambda waiting: self._served[waiting[0]])
            self._waiting.remove(chosen)
            self._served[user] += 1
            turn.set_result(None)
