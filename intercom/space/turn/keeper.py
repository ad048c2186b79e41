"""Keeps the TURN companion in step with the space: only subscribers with a session relay, and only to the doors."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import Callable, Iterable
from typing import Final

from intercom.space.http.sockets import Sockets
from intercom.space.names import interface_addresses
from intercom.space.turn.coturn import TurnServer
from intercom.space.turn.peers import peers_of

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.4
"""Interval of the look: with the space's own look at its members, a removed device relays for less than a second."""
OWN_S: Final = 10.0
"""Interval at which this machine's own addresses are read again, for a door may run here too."""
DOOR_AWAY_S: Final = 600.0
"""Time for which relays still reach a door's last address: longer than a restart takes, shorter than a lease."""


class TurnKeeper:
    """Watches the space's sessions for the TURN companion.

    :param turn: the server that runs now; None while none does.
    :param now: monotonic seconds.
    :param own: this machine's addresses now.
    """

    def __init__(
        self,
        turn: Callable[[], TurnServer | None],
        sockets: Sockets,
        *,
        now: Callable[[], float],
        own: Callable[[], Iterable[str]] = interface_addresses,
    ) -> None:
        self._turn = turn
        self._sockets = sockets
        self._now = now
        self._own = own
        self._doors: dict[str, tuple[set[str], float]] = {}
        "Last addresses of each door, and the time."
        self._told: frozenset[str] = frozenset()
        self._own_due_at = -math.inf

    async def watch(self) -> None:
        """Look at the sessions at an interval, until cancelled."""
        while True:
            try:
                await self.look()
            except sqlite3.Error as problem:  # a full disk; what is not written is written at the next look
                logger.debug("The TURN server cannot be told who belongs to the space: %s", problem)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Revoke the passwords of subscribers without a session, and tell the companion the doors' addresses."""
        now, members = self._now(), self._sockets.members()
        for door, places in self._sockets.doors().items():
            self._doors[door] = (places, now)
        self._doors = {door: seen for door, seen in self._doors.items() if now - seen[1] < DOOR_AWAY_S}
        turn = self._turn()
        if turn is None:
            return
        await turn.forget(*(turn.subscribers - members))
        doors = frozenset(place for places, _ in self._doors.values() for place in places)
        if doors != self._told or now >= self._own_due_at:
            turn.allow_peers(peers_of(doors, self._own()))
            self._told, self._own_due_at = doors, now + OWN_S
