"""When the door is to be quieter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class Night:
    """From one time of the day to another, over midnight or not."""

    begins: time
    """First moment of it, local time."""
    ends: time
    """First moment after it; the same as `begins`: there is no night."""

    def holds(self, now: time) -> bool:
        """Whether it is night at this local time."""
        if self.begins <= self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends


def night_between(begins: str, ends: str) -> Night | None:
    """The night between two times like "22:00"; None when the first is empty. ValueError when they are no times."""
    return Night(time.fromisoformat(begins), time.fromisoformat(ends)) if begins else None
