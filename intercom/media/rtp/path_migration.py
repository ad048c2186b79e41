"""The new connections that a call may move to, and the old ones that it has left."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from intercom.media.rtp.connection import Connection
from intercom.tasks import TaskSet

log = logging.getLogger(__name__)

LINGER_S = 1.0
"""Time that the old connection stays open: the far end notices the new one later, and a key begun on the old one ends
there."""


class Moves:
    """Holds at most one new connection that we offered and one that the far end offered.

    When both offer at once, the end that began the call has its way: its offer's answer counts, and the other end
    lets go of its own. Until that answer is there it keeps both, for the far end may have forgotten all (a reload).
    """

    def __init__(self) -> None:
        self.we_began = False
        """Whether the call's first offer was ours."""
        self._offered: Connection | None = None
        self._answered: Connection | None = None
        self._left = TaskSet()
        "tasks that close the connections left behind"
        self._closing = asyncio.Event()

    def __contains__(self, connection: Connection) -> bool:
        return connection in (self._offered, self._answered)

    def opened_before(self, moment: float) -> list[Connection]:
        """Return the new connections opened before `moment`, on the call's clock, which had their chance."""
        return [move for move in (self._offered, self._answered) if move is not None and move.opened_at < moment]

    async def create_offer(self, connection: Connection, current: Connection) -> str:
        """Create an offer of `connection` in place of `current`; gives up an earlier offer."""
        self._drop(self._offered)
        self._offered = connection
        try:
            return await connection.create_offer(current)
        except BaseException:
            self.give_up(connection)
            raise

    async def accept_answer(self, answer: str) -> None:
        """Connect with the answer to our offer; does nothing if the offer was given up meanwhile."""
        connection = self._offered
        if connection is None or connection.negotiated_at is not None:
            log.debug("an answer came to an offer that was given up")
            return
        await connection.accept_answer(answer)
        self._drop(self._answered)
        self._answered = None

    async def create_answer(self, connection: Connection, offer: str) -> str:
        """Create an answer with `connection`; gives up an earlier answer."""
        self._drop(self._answered)
        self._answered = connection
        try:
            answer = await connection.create_answer(offer)
        except BaseException:
            self.give_up(connection)
            raise
        if not self.we_began:
            self._drop(self._offered)
            self._offered = None
        return answer

    def arrived(self, connection: Connection, old: Connection) -> None:
        """Finish the move: `connection` carries the call now, and the old one closes soon."""
        for other in (self._offered, self._answered):
            if other is not connection:
                self._drop(other)
        self._offered = self._answered = None
        self._leave(old, LINGER_S)

    def give_up(self, connection: Connection) -> None:
        """Close a new connection that failed to connect."""
        if connection is self._offered:
            self._offered = None
        if connection is self._answered:
            self._answered = None
        self._drop(connection)

    def _drop(self, connection: Connection | None) -> None:
        if connection is not None:
            self._leave(connection, 0.0)

    def _leave(self, connection: Connection, after_s: float) -> None:
        self._left.spawn(self._close_later(connection, after_s))

    async def _close_later(self, connection: Connection, after_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(after_s):
                await self._closing.wait()
        await connection.close()

    async def close(self) -> None:
        """Close every connection, within two seconds."""
        self._closing.set()
        self._drop(self._offered)
        self._drop(self._answered)
        self._offered = self._answered = None
        await self._left.finish()
