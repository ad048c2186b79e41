"""One press of a key may arrive twice: in a verto.info, and in the sound. It counts once."""

from __future__ import annotations

from typing import Literal, NamedTuple

Way = Literal["signalling", "media", "tones"]
"""By verto.info, by RFC 4733, or heard in the sound."""

SAME_PRESS_S = 0.15
"""The two ways differ by a jitter buffer and a relay's delay; nobody presses a key twice so soon."""


class KeyPress(NamedTuple):
    """A key that the far end pressed, and the way by which that was known first."""

    digit: str
    """0-9, *, #, A-D."""
    way: Way
    echo_s: float | None = None
    """Seconds since our own sound held this key's tones: a line or a gateway may have sent it back to us."""


class DigitMerge:
    """Pairs the same key that came by both ways. Each way by itself is true: "99" by one way is two presses."""

    def __init__(self) -> None:
        self._unpaired: list[tuple[float, Way, str]] = []

    def is_new(self, digit: str, way: Way, now: float) -> bool:
        """Whether this is a press that has not come by the other way already; `now` in seconds on any one clock."""
        self._unpaired = [press for press in self._unpaired if now - press[0] <= SAME_PRESS_S]
        for press in self._unpaired:
            if press[1] != way and press[2] == digit:
                self._unpaired.remove(press)
                return False
        self._unpaired.append((now, way, digit))
        return True
