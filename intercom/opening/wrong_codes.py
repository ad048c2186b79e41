"""Count the wrong codes of the whole door, in any call, and return for how long it ignores keys after them."""

from __future__ import annotations

import math

WRONG_MOST = 3
"""Limit of wrong codes in a row, after which the door is deaf."""
DEAF_S = 30.0
"""Time for which the door is deaf at first; each further time is twice the last."""
DEAF_MOST_S = 3600.0
"""Limit of the deaf time: an attacker then tries some ninety codes a day, of the ten thousand that four keys make."""
FORGIVEN_S = 86_400.0
"""Time without a wrong code after which the count begins anew."""


class WrongCodes:
    """Counts the wrong codes; `now` is on any one clock."""

    def __init__(self) -> None:
        self._wrong = 0
        self._deaf_for_s = 0.0
        self._deaf_until = -math.inf
        self._last_at = -math.inf

    def deaf_s(self, now: float) -> float:
        """Return how long the door stays deaf."""
        return max(0.0, self._deaf_until - now)

    def wrong(self, now: float) -> float:
        """Count a wrong code, and return how long the door is deaf from now on."""
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
        """Reset the count; the deaf time stays doubled, as somebody else may be guessing meanwhile."""
        self._wrong = 0
