"""Limits the connections to the space, for each machine and each member, and chooses the ones to close.

A connection is a *guest* until its socket has a session; then it is its *member's*. Newcomers are always let in: where
there are too many connections, the oldest of whoever has the most ends. So a flood pushes out itself, whoever needs a
few milliseconds for a request gets them, and no guest takes a member's place. Beyond so many members none gives way
for one more: then the space is full for further residents, and says so (`Listener.full`).
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Hashable
from typing import Final

GUESTS_LIMIT: Final = 256
"""Limit of connections without a session, together; each is a request, a page that loads or a socket that signs in."""
GUESTS_PER_MACHINE_LIMIT: Final = 64
"""Limit of connections without a session for one machine; a browser opens six, and a house may share one address."""
MEMBERS_LIMIT: Final = 2112
"""Limit of sockets with a session, where there are descriptors for them: each takes some 32 kB, and 12 kB more while a
door rings it; together they take half of the unit's `MemoryMax`."""
DOORS_RESERVE: Final = 64
"""Sockets of these that only doors get: a full house must not keep a door away that starts again."""
OTHER_DESCRIPTORS: Final = 256
"""File descriptors for whatever is no connection to the space: the database, pushes, the echo's calls."""


def members_limit(descriptors: int) -> int:
    """Return the limit of sockets with a session for a process that may have so many file descriptors."""
    return max(2 * DOORS_RESERVE, min(MEMBERS_LIMIT, descriptors - GUESTS_LIMIT - OTHER_DESCRIPTORS))


class ConnectionLimits:
    """The open connections, by the machine or member that holds them.

    :param guests_limit: connections without a session.
    :param per_machine_limit: the same for one machine.
    :param members_limit: sockets with a session.
    """

    def __init__(
        self,
        *,
        guests_limit: int = GUESTS_LIMIT,
        per_machine_limit: int = GUESTS_PER_MACHINE_LIMIT,
        members_limit: int = MEMBERS_LIMIT,
    ) -> None:
        self._guests = Pool(guests_limit, per_machine_limit)
        self._members = Pool(members_limit, members_limit)

    def entered(self, connection: Hashable, machine: str, end: Callable[[], None], *, proxy: bool = False) -> bool:
        """Note an accepted connection, which `end` breaks off; return whether others had to give way.

        A `proxy` stands for many machines: it is bounded by all guests alone.
        """
        return self._guests.add(connection, machine, end, bounded=not proxy)

    def speaks_for(self, connection: Hashable, machine: str) -> None:
        """Note the machine behind a proxy's connection, as its request shows."""
        end = self._guests.remove(connection)
        if end is not None:
            self._guests.add(connection, machine, end)

    def joined(self, connection: Hashable, subscriber_id: str) -> None:
        """Note that a connection's socket has a session now."""
        end = self._guests.remove(connection)
        if end is not None:
            self._members.add(connection, subscriber_id, end)

    @property
    def residents_limit(self) -> int:
        """Number of members for whom there is room: the rest is for doors."""
        return self._members.limit - DOORS_RESERVE

    def has_room_for(self, resident_id: str) -> bool:
        """Whether a resident may join: one that has a socket already, or one more while there are places for residents.

        Members are counted and not sockets: with doors in the places that are left, whoever has two gives way first.
        """
        return self._members.holds(resident_id) or self._members.holders < self.residents_limit

    def left(self, connection: Hashable) -> None:
        """Note that a connection has ended."""
        if self._guests.remove(connection) is None:
            self._members.remove(connection)

    def __len__(self) -> int:
        return len(self._guests) + len(self._members)


def limits_of_this_process() -> ConnectionLimits:
    """Return the limits for a process with the descriptors of this one."""
    return ConnectionLimits(members_limit=members_limit(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))


class Pool:
    """Connections, or what else somebody holds, by holder, the oldest first."""

    def __init__(self, limit: int, per_holder_limit: int) -> None:
        self.limit = limit
        "Limit of connections, of all holders together."
        self._per_holder_limit = per_holder_limit
        self._held: dict[str, dict[Hashable, Callable[[], None]]] = {}
        self._holders: dict[Hashable, str] = {}

    def __len__(self) -> int:
        return len(self._holders)

    @property
    def holders(self) -> int:
        """Number of those who hold one or more."""
        return len(self._held)

    def holds(self, holder: str) -> bool:
        """Whether somebody holds one or more."""
        return holder in self._held

    def add(self, connection: Hashable, holder: str, end: Callable[[], None], *, bounded: bool = True) -> bool:
        """Add a connection, which `end` breaks off; return whether an older one had to give way."""
        held = self._held.setdefault(holder, {})
        crowded = bounded and len(held) >= self._per_holder_limit
        full = len(self) >= self.limit
        if crowded:
            self._end_oldest_of(holder)
        elif full:
            self._end_oldest_of(max(self._held, key=lambda each: len(self._held[each])))
        self._held.setdefault(holder, {})[connection] = end
        self._holders[connection] = holder
        return crowded or full

    def remove(self, connection: Hashable) -> Callable[[], None] | None:
        """Remove a connection; return what would end it, or None if it was not there."""
        holder = self._holders.pop(connection, None)
        if holder is None:
            return None
        held = self._held[holder]
        end = held.pop(connection)
        if not held:
            del self._held[holder]
        return end

    def _end_oldest_of(self, holder: str) -> None:
        oldest = next(iter(self._held[holder]))
        end = self.remove(oldest)
        assert end is not None
        end()
