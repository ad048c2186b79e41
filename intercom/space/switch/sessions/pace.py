"""Limits the rate at which one connection sends, with a token bucket. Pure."""

from __future__ import annotations


class Pace:
    """Counts the frames of one connection and compares them with its allowance.

    :param per_s: frames on average.
    :param burst: frames at once.
    :param now: monotonic seconds.
    """

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._counted_at = now

    def take(self, now: float) -> bool:
        """Count one more frame; return whether it is within the allowance."""
        self._left = min(self._burst, self._left + (now - self._counted_at) * self._per_s)
        self._counted_at = now
        within = self._left >= 1.0
        self._left -= within
        return within
