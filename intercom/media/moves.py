"""The new connections to which a call may move, and the old ones that it has left."""

from __future__ import annotations

import asyncio
import logging

from intercom.media.connection import Connection

log = logging.getLogger(__name__)

LINGER_S = 1.0
"""The far end notices the new connection a few round trips later than we; a key that was begun on the old one ends."""


class Moves:
    """At most one new connection that we offered and one that the far end offered.

    When both offer at once, the end that began the call has its way: its offer's answer counts, and the other end
    lets go of its own. Until that answer is there it keeps both, for the far end may have forgotten all (a reload).
    """

    def __init__(self) -> None:
        self.we_began = False
        """Whether the call's first offer was ours."""
        self._offered: Connection | None = None
        self._answered: Connection | None = None
        self._left: dict[asyncio.Task[None], Connection] = {}

    def __contains__(self, connection: Connection) -> bool:
        return connection in (self._offered, self._answered)

    def opened_before(self, moment: float) -> list[Connection]:
        """Those that had their chance; on the call's clock."""
        return [move for move in (self._offered, self._answered) if move is not None and move.opened_at < moment]

    async def create_offer(self, connection: Connection, current: Connection) -> str:
        """Offer this one in the place of the current; an earlier offer is given up."""
        self._drop(self._offered)
        self._offered = connection
        try:
            return await connection.create_offer(current)
        except BaseException:
            self.give_up(connection)
            raise

    async def accept_answer(self, answer: str) -> None:
        """Connect what we offered; if that was given up meanwhile, do nothing."""
        connection = self._offered
        if connection is None or connection.negotiated_at is not None:
            log.debug("an answer came to an offer that was given up")
            return
        await connection.accept_answer(answer)
        self._drop(self._answered)
        self._answered = None

    async def create_answer(self, connection: Connection, offer: str) -> str:
        """Answer with this one; an earlier answer is given up."""
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
        """The call is carried by this one now, and no more by the old."""
        for other in (self._offered, self._answered):
            if other is not connection:
                self._drop(other)
        self._offered = self._answered = None
        self._leave(old, LINGER_S)

    def give_up(self, connection: Connection) -> None:
        """Nothing comes of this one."""
        if connection is self._offered:
            self._offered = None
        if connection is self._answered:
            self._answered = None
        self._drop(connection)

    def _drop(self, connection: Connection | None) -> None:
        if connection is not None:
            self._leave(connection, 0.0)

    def _leave(self, connection: Connection, after_s: float) -> None:
        task = asyncio.get_running_loop().create_task(_close_later(connection, after_s), name="close a connection")
        self._left[task] = connection
        task.add_done_callback(lambda done: self._left.pop(done, None))

    async def close(self) -> None:
        """Give everything back, within two seconds."""
        left = dict(self._left)
        for task in left:
            task.cancel()
        connections = [move for move in (self._offered, self._answered) if move is not None]
        self._offered = self._answered = None
        await asyncio.gather(*(connection.close() for connection in (*connections, *left.values())))


async def _close_later(connection: Connection, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await connection.close()
