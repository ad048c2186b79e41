"""Judge what the door's contact tells: closed, open, forced or held open. Pure: `now` is on any one clock."""

from __future__ import annotations

from math import inf

from intercom.door.entrance.settled import Settled
from intercom.facts import CLOSED, FORCED, HELD_OPEN, OPEN


class DoorContact:
    """The state of the door, from the contact's readings and the relay."""

    def __init__(self, *, is_open: bool, now: float, forced_after_s: float, held_open_s: float) -> None:
        """Begin with the contact's first reading; a door that stands open then was not forced, as nobody saw it."""
        self.state = OPEN if is_open else CLOSED
        self._reading = Settled(is_open)
        self._forced_after_s = forced_after_s
        self._held_open_s = held_open_s or inf
        self._opened_at = now
        self._let_until = -inf
        "until when an opening is expected; infinite while the relay is on"

    def relay(self, is_on: bool, now: float) -> None:
        """Note that the relay has turned on or off: the door may be opened now, and for a while after."""
        self._let_until = inf if is_on else now + self._forced_after_s

    def reads(self, is_open: bool, now: float) -> bool:
        """Take the contact's reading, and return whether the door's state changes."""
        before = self.state
        if self._reading.reads(is_open, now):
            self.state = self._opened(self._reading.since) if is_open else CLOSED
        if self.state == OPEN and now >= self._held_open_at:
            self.state = HELD_OPEN
        return self.state != before

    @property
    def due_at(self) -> float:
        """Return the time at which the same reading changes the state; infinite if it never does."""
        return min(self._reading.due_at, self._held_open_at if self.state == OPEN else inf)

    @property
    def _held_open_at(self) -> float:
        return self._opened_at + self._held_open_s

    def _opened(self, at: float) -> str:
        self._opened_at = at
        return FORCED if self._forced_after_s and at > self._let_until else OPEN
