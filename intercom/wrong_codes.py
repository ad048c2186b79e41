"""Wrong codes of the whole door, whoever typed them in whatever call: how long it is deaf to keys after them."""

from __future__ import annotations

import math

WRONG_MOST = 3
"""Wrong codes in a row after which the door is deaf."""
DEAF_S = 30.0
"""The first time; each further time takes twice as long as the last."""
DEAF_MOST_S = 3600.0
"""Longest time: some ninety codes a day are tried then, of the ten thousand that four keys make."""
FORGIVEN_S = 86_400.0
"""After a day without a wrong code it begins anew."""


class WrongCodes:
    """Counts; `now` is on any one clock."""

    def __init__(self) -> None:
        self._wrong = 0
        self._deaf_for_s = 0.0
        self._deaf_until = -math.inf
        self._last_at = -math.inf

    def deaf_s(self, now: float) -> float:
        """For how long the door is still deaf."""
        return max(0.0, self._deaf_until - now)

    def wrong(self, now: float) -> float:
        """Another wrong code; for how long the door is deaf from now on."""
        if now - max(self._last_at, self._deaf_until) > FORGIVEN_S:
            self._wrong, self._deaf_for_s = 0, 0.0
        self._last_at = now
        self._wrong += 1
        if self._wrong < WRONG_MOST:
            return 0.0
        self._wrong = 0
        self._deaf_for_s = min(2 * self._deaf_for_s or DEAF_S, DEAF_MOST_S)
        self._deaf_until = now + self._deaf_for_s
        return self._deaf_for_s

    def right(self) -> None:
        """The right code: the wrong ones before it were slips, but somebody else may be guessing meanwhile."""
        self._wrong = 0
