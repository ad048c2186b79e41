"""Bounds the bytes that wait for slow sockets, for each socket and for all sockets of one member. Pure."""

from __future__ import annotations

from typing import Final

from intercom.space.switch.sessions.undelivered import MEMBER_LIMIT_BYTES, SESSION_LIMIT_BYTES, KeptBytes

SOCKET_LIMIT_BYTES: Final = 2 * SESSION_LIMIT_BYTES
"""Limit of bytes that wait for one socket: twice a session's kept frames, which a resume sends at once."""


class Waiting:
    """Counts the bytes that wait for one socket."""

    def __init__(self) -> None:
        self._mine = 0
        self._together = KeptBytes()

    def share(self, together: KeptBytes) -> None:
        """Count these bytes from now on among those that wait for all sockets of the same member."""
        self._together.used -= self._mine
        self._together = together
        self._together.used += self._mine

    def add(self, size: int) -> bool:
        """Count a frame and return whether it may wait. A frame alone always may: its own size is limited."""
        too_many = self._mine + size > SOCKET_LIMIT_BYTES or self._together.used + size > MEMBER_LIMIT_BYTES
        if self._mine and too_many:
            return False
        self._count(size)
        return True

    def written(self, size: int) -> None:
        """Note that a frame was written."""
        self._count(-size)

    def end(self) -> None:
        """Subtract the waiting bytes of the closed socket."""
        self._count(-self._mine)

    def _count(self, more: int) -> None:
        self._mine += more
        self._together.used += more
