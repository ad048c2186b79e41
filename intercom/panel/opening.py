"""Decides how long the door stays open; pure."""

from dataclasses import dataclass

REST_S = 1.0
"""Rest after a cut by the cap: without it a stuck command would hold the door open for ever."""


@dataclass(slots=True)
class Opening:
    """The door's timing: a pulse, extended by further commands, never past the cap; `now` in seconds."""

    cap_s: float
    opened_at: float | None = None
    """Time at which the relay went on; None = closed."""
    closes_at: float = 0.0
    """Time at which the relay goes off; meaningful while open."""
    _rests_until: float = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether the relay is on."""
        return self.opened_at is not None

    def open(self, pulse_s: float, now: float) -> bool:
        """Open for `pulse_s` from now, or extend the opening; False = the door rests after a full `cap_s`."""
        if self.opened_at is None:
            if now < self._rests_until:
                return False
            self.opened_at = now
            self.closes_at = now
        self.closes_at = min(max(self.closes_at, now + pulse_s), self.opened_at + self.cap_s)
        return True

    def is_due(self, now: float) -> bool:
        """Whether it is time to close."""
        return self.opened_at is not None and now >= self.closes_at

    def close(self, now: float) -> None:
        """Note that the relay went off at `now`."""
        if self.opened_at is not None and now >= self.opened_at + self.cap_s:
            self._rests_until = now + REST_S
        self.opened_at = None
