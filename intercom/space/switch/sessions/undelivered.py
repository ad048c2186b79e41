"""Keeps a session's frames until they are delivered, bounded in number and in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

COUNT_LIMIT: Final = 64
"""Limit of frames kept for a session whose socket is gone or silent; ten seconds of one call bring a handful."""
SESSION_LIMIT_BYTES: Final = 256 * 1024
"""Limit of bytes kept for one session: sixteen offers of a browser."""
MEMBER_LIMIT_BYTES: Final = 1024 * 1024
"""Limit of bytes kept for all sessions of one member: a house with twenty members needs 20 MB at worst."""


@dataclass(slots=True, weakref_slot=True)
class KeptBytes:
    """Counts the bytes kept for all sessions of one member, or waiting for all its sockets."""

    used: int = 0


class KeptFrames:
    """Frames in order, each under an id; the oldest are dropped when a limit is reached."""

    def __init__(self, member: KeptBytes | None = None) -> None:
        self._member = member or KeptBytes()
        self._texts: dict[str, str] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids, oldest first."""
        return iter(self._texts)

    def keep(self, frame_id: str, text: str) -> None:
        """Keep a frame, unless it alone exceeds the limit."""
        self.forget(frame_id)
        while self._texts and self._is_over(len(text)):
            self.forget(next(iter(self._texts)))
        if self._is_over(len(text)):
            return
        self._texts[frame_id] = text
        self._count(len(text))

    def forget(self, frame_id: str) -> None:
        """Drop a frame, if it is kept."""
        text = self._texts.pop(frame_id, None)
        if text is not None:
            self._count(-len(text))

    def take(self) -> list[str]:
        """Return all frames, oldest first, and drop them."""
        texts = list(self._texts.values())
        self.clear()
        return texts

    def texts(self) -> list[str]:
        """Return all frames, oldest first, and keep them."""
        return list(self._texts.values())

    def clear(self) -> None:
        """Drop all frames."""
        self._count(-self._bytes)
        self._texts.clear()

    def _is_over(self, more: int) -> bool:
        return (
            len(self._texts) >= COUNT_LIMIT
            or self._bytes + more > SESSION_LIMIT_BYTES
            or self._member.used + more > MEMBER_LIMIT_BYTES
        )

    def _count(self, more: int) -> None:
        self._bytes += more
        self._member.used += more
