"""Decide when the second bell light flashes. Pure: `now` is on any one clock."""

from __future__ import annotations

from math import inf

from intercom.facts import Answered, DoorOpened, Ended, Fact, Pressed, PressWaits, Unreached

LEAST_S = 10.0
"""Least time for which it flashes after a press that nobody has answered: so long it takes to look up."""


class BellLight:
    """Flashes from a press until somebody answers, opens the door, or the ringing is over."""

    def __init__(self) -> None:
        self._rings = False
        self._until = -inf

    def pressed(self, now: float) -> None:
        """Note a press of a bell button."""
        self._until = now + LEAST_S

    def hear(self, fact: Fact, now: float) -> None:
        """Take a fact of the journal; what is rung by a command has no press before it."""
        match fact:
            case Pressed() | PressWaits():
                self._rings = self._rings or now < self._until
            case Answered() | DoorOpened():
                self._rings, self._until = False, now
            case Ended() | Unreached():
                self._rings = False
            case _:
                pass

    def is_on(self, now: float) -> bool:
        """Return whether it flashes."""
        return self._rings or now < self._until

    def due_at(self, now: float) -> float:
        """Return the time at which it goes off by itself; infinite if it does not."""
        return inf if self._rings or now >= self._until else self._until
