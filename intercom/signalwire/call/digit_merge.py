"""Merges key presses that arrive twice, by verto.info and in the audio, into one."""

from __future__ import annotations

from typing import Literal, NamedTuple

Way = Literal["signalling", "media", "tones"]
"""Way by which a key press arrives: verto.info, RFC 4733, or tones in the audio."""

SAME_PRESS_S = 0.15
"""Time within which the same key by two ways counts once: longer than the delay of a jitter buffer and a relay."""


class KeyPress(NamedTuple):
    """A key that the far end pressed, and the way by which it arrived first."""

    digit: str
    """Key, one of 0-9, *, #, A-D."""
    way: Way
    echo_s: float | None = None
    """Seconds since our own audio held this key's tones: a line or a gateway may echo them."""


class DigitMerge:
    """Pairs key presses that arrive by both ways. Each way by itself is true: "99" by one way is two presses."""

    def __init__(self) -> None:
        self._unpaired: list[tuple[float, Way, str]] = []

    def is_new(self, digit: str, way: Way, now: float) -> bool:
        """Return whether this press has not arrived by the other way yet; `now` in seconds on any one clock."""
        self._unpaired = [press for press in self._unpaired if now - press[0] <= SAME_PRESS_S]
        for press in self._unpaired:
            if press[1] != way and press[2] == digit:
                self._unpaired.remove(press)
                return False
        self._unpaired.append((now, way, digit))
        return True
