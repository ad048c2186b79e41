"""Debounce a switch: its readings count once they have stayed the same. Pure: `now` is on any one clock."""

from __future__ import annotations

from math import inf

SETTLE_S = 0.1
"""Time for which a reading must stay the same: a contact bounces for some milliseconds, a door in its frame rattles."""


class Settled:
    """A reading that counts once it has stayed the same for `SETTLE_S`."""

    def __init__(self, value: bool) -> None:
        self.value = value
        "the reading that counts"
        self.since = -inf
        "time at which the newest other reading began"
        self._reading = value

    def reads(self, reading: bool, now: float) -> bool:
        """Take a reading, and return whether it changes the value."""
        if reading != self._reading:
            self._reading, self.since = reading, now
        if now < self.due_at:
            return False
        self.value = reading
        return True

    @property
    def due_at(self) -> float:
        """Return the time from which the present reading counts; infinite while it changes nothing."""
        return inf if self._reading == self.value else self.since + SETTLE_S
