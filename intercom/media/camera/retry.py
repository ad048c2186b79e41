"""How long a camera that failed is left alone."""

from __future__ import annotations

RETRY_S = 1.0
"""Retry interval while somebody looks, and the first one else: a replugged camera returns at once."""
LONGEST_S = 30.0
"""Longest retry interval while nobody looks: a camera that is always on may be away for days, and each try opens it."""


class Retry:
    """Retry interval of a camera: it doubles with each try that fails while nobody looks."""

    def __init__(self, first_s: float) -> None:
        self._first_s = self._next_s = first_s

    def begin_anew(self) -> None:
        """Forget what failed: the camera was plugged in."""
        self._next_s = self._first_s

    def pause_s(self, *, seen: bool, showed: bool) -> float:
        """Return the time until the next try. `seen`: somebody looks; `showed`: the last try had a picture."""
        if seen or showed:
            self.begin_anew()
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, LONGEST_S)
        return pause_s
