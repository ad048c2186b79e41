"""Judge what the tamper switch tells: while the box is open, and for a while after, no keys open the door.

Pure: `now` is on any one clock. What outlives a restart is the block, not its time, as a Raspberry Pi has no clock that
runs without power: after a restart the block begins anew.
"""

from __future__ import annotations

from math import inf

from intercom.door.entrance.settled import Settled

BLOCK_S = 1800.0
"""Time for which no keys open the door after the box was closed: whoever opened it may have listened to the code, or
have fitted something that types."""


class TamperBlock:
    """Whether the box is open, and whether keys are blocked."""

    def __init__(self, *, blocks: bool, now: float) -> None:
        """Begin with or without the block that an earlier run has kept."""
        self.blocks = blocks
        "whether no keys open the door"
        self._box = Settled(False)
        self._until = now + BLOCK_S if blocks else -inf

    @property
    def is_open(self) -> bool:
        """Whether the box is open."""
        return self._box.value

    def reads(self, is_open: bool, now: float) -> bool:
        """Take the switch's reading, and return whether the box or the block has changed."""
        before = self.is_open, self.blocks
        if self._box.reads(is_open, now) or self.is_open:
            self._until = now + BLOCK_S
        self.blocks = self.is_open or now < self._until
        return before != (self.is_open, self.blocks)

    def left_s(self, now: float) -> float:
        """Return for how long keys stay blocked, if the box stays closed from now on."""
        return BLOCK_S if self.is_open else max(0.0, self._until - now)

    @property
    def due_at(self) -> float:
        """Return the time at which the same reading changes something; infinite if it never does."""
        return min(self._box.due_at, self._until if self.blocks and not self.is_open else inf)
