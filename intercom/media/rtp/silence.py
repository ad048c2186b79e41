"""Measures for how long a far end sends nothing although it should: the one clock of a call's silence."""

from __future__ import annotations

from typing import Literal

SILENT_S = 3.0
"""Time without a packet after which the path is gone: even a muted far end sends."""


class SilenceWatch:
    """Measures silence, and reports it once, and once its end: packets returned, or none are expected; pure."""

    def __init__(self) -> None:
        self.expected = True
        """Whether the far end is expected to send: one that holds the call may be silent."""
        self._excused_at = 0.0
        self._told = False

    def silent_s(self, now: float, seen_at: float) -> float:
        """Return the seconds since the far end was last seen; 0 while it is not expected to send."""
        if not self.expected:
            self._excused_at = now
        return now - max(seen_at, self._excused_at)

    def steady_s(self, now: float, seen_at: float) -> float:
        """Return the seconds in which a look finds no change: 0 during a silence, and while none is counted."""
        if self._told or not self.expected:
            return 0.0
        return max(0.0, SILENT_S - self.silent_s(now, seen_at))

    def look(self, now: float, seen_at: float) -> Literal["began", "ended"] | None:
        """Return the change at `now`, when the far end was last seen at `seen_at`."""
        silent = self.silent_s(now, seen_at) > SILENT_S
        if silent is self._told:
            return None
        self._told = silent
        return "began" if silent else "ended"
