"""Decides when the door is quieter."""

from __future__ import annotations

from datetime import time

import msgspec


class Night(msgspec.Struct, frozen=True):
    """A daily span of time, over midnight or not."""

    begins: time
    """First moment of the night, local time."""
    ends: time
    """First moment after the night; equal to `begins` means no night."""

    def holds(self, now: time) -> bool:
        """Whether this local time is in the night."""
        if self.begins <= self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends


def night_between(begins: str, ends: str) -> Night | None:
    """Return the night between two times like "22:00"; None when the first is empty. ValueError for an invalid time."""
    return Night(time.fromisoformat(begins), time.fromisoformat(ends)) if begins else None
