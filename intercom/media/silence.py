"""When a far end that should be heard sends nothing."""

from __future__ import annotations

from typing import Literal

SILENT_S = 3.0
"""Even a muted far end sends; without a packet for so long the path is gone."""


class SilenceWatch:
    """Tells once that nothing comes, and once that something does, or that nothing need come; pure."""

    def __init__(self) -> None:
        self.expected = True
        """Whether the far end is to send: one that holds us may be silent."""
        self.silent_s = 0.0
        """For how long nothing had come at the last look."""
        self._excused_at = 0.0
        self._told = False

    def look(self, now: float, seen_at: float) -> Literal["began", "ended"] | None:
        """What changed by now, when the far end was seen last at `seen_at`."""
        if not self.expected:
            self._excused_at = now
        self.silent_s = now - max(seen_at, self._excused_at)
        silent = self.silent_s > SILENT_S
        if silent is self._told:
            return None
        self._told = silent
        return "began" if silent else "ended"
