"""Learns whether a card tells its place as it moves, or in steps: where it does, the time of each turn is known.

A card that tells its place in steps, of a USB driver's transfers, of a period, or of a sound server's quantum, may have
played much more than it tells.
"""

from __future__ import annotations

from intercom.media.sound.format import RATE_HZ

PROBE_S = 0.003
"""Interval of the looks by which it is learnt: shorter than the steps that matter, and no divisor of them."""
SHORTEST_S, LONGEST_S = 0.002, 0.0034
"""Limits of the time between two looks that prove anything: with steps of 5 ms or more none of them agrees."""
AGREES_S = 0.0015
"""Limit of the difference between the time that passed and the sound that was played."""
PROOFS = 16
"""Looks in a row that agree, until the place is known; one that does not agree later takes back a quarter of them."""
LOOKS = 64
"""Limit of the looks by which it is learnt, a fifth of a second after each start: a busy machine may always be late."""


class Pointer:
    """What a card tells of its place, since the speaker's start."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew: the speaker starts."""
        self._last: tuple[int, float] | None = None
        self._looks = 0
        self._proofs = 0
        self.is_fine = False
        """Whether the card tells its place as it moves."""

    @property
    def is_sought(self) -> bool:
        """Whether it is not known yet, and looks would tell."""
        return not self.is_fine and self._looks < LOOKS

    def looked(self, played: int, now: float) -> None:
        """Note how many frames the card has played by now, as it tells."""
        before, self._last = self._last, (played, now)
        if before is None:
            return
        passed_s = now - before[1]
        late_s = passed_s - (played - before[0]) / RATE_HZ
        if self.is_fine:
            self._confirm(late_s)
        elif self.is_sought:
            self._looks += 1
            self._learn(passed_s, late_s)

    def _learn(self, passed_s: float, late_s: float) -> None:
        if abs(late_s) > AGREES_S:
            self._proofs = 0
        elif SHORTEST_S <= passed_s <= LONGEST_S:
            self._proofs += 1
            self.is_fine = self._proofs == PROOFS

    def _confirm(self, late_s: float) -> None:
        """Doubt a place that stands still. One that leaps is a thread's that looked late."""
        self._proofs = self._proofs - PROOFS // 4 if late_s > AGREES_S else min(self._proofs + 1, PROOFS)
        if self._proofs <= 0:
            self.is_fine, self._looks = False, LOOKS
