"""How often each machine may do something: a token bucket for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from intercom.net import is_loopback, machine_of

MACHINES_LIMIT: Final = 1024
"""Machines that are remembered; the one that was quiet for longest is forgotten first."""
LOOPBACK_FACTOR: Final = 10.0
"""So much more may come from this machine itself: the door, tools and pages that are developed here."""


class Allowances:
    """Counts what machines do.

    :param per_s: how often another machine may, on average.
    :param burst: how often it may at once.
    :param now: monotonic seconds.
    """

    def __init__(self, per_s: float, burst: float, *, now: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> bool:
        """Count one more; whether it is within the allowance."""
        left = self._refilled(address)
        within = left >= 1.0
        self._keep(address, left - 1.0 if within else left)
        return within

    def charge(self, address: str, share: float) -> None:
        """Count this share of the burst at once, for something that machines seldom do in good faith.

        It may be more than is left: the machine then waits until it has made up for it.
        """
        burst = self._burst * _factor(address)
        self._keep(address, max(-burst, self._refilled(address) - share * burst))

    def _refilled(self, address: str) -> float:
        factor, now = _factor(address), self._now()
        left, counted_at = self._left.pop(machine_of(address), (self._burst * factor, now))
        return min(self._burst * factor, left + (now - counted_at) * self._per_s * factor)

    def _keep(self, address: str, left: float) -> None:
        while len(self._left) >= MACHINES_LIMIT:
            del self._left[next(iter(self._left))]
        self._left[machine_of(address)] = (left, self._now())


def _factor(address: str) -> float:
    return LOOPBACK_FACTOR if is_loopback(address) else 1.0
