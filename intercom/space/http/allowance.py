"""Limits the rate at which each machine does something, with a token bucket for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from intercom.net import is_loopback, machine_of

MACHINES_LIMIT: Final = 1024
"""Limit of machines that are remembered; the one that was quiet for longest is forgotten first."""
LOOPBACK_FACTOR: Final = 10.0
"""Factor on the allowance of this machine itself: the door, tools and pages that are developed here."""

NETWORK_FACTOR: Final = 10.0
"""Factor on the allowance of an IPv6 network over that of one of its addresses: a house is full of phones."""


class Allowances:
    """Counts the actions of machines and compares them with their allowance.

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
        """Count one more action; return whether it is within the allowance."""
        return all(self._take(holder, factor) for holder, factor in _holders(address))

    def charge(self, address: str, share: float) -> None:
        """Charge this share of the burst at once, for an action that machines seldom take in good faith.

        It may be more than is left: the machine then waits until it has made up for it.
        """
        cost = share * self._burst * (LOOPBACK_FACTOR if is_loopback(address) else 1.0)
        for holder, factor in _holders(address):
            self._keep(holder, max(-self._burst * factor, self._refilled(holder, factor) - cost))

    def _take(self, holder: str, factor: float) -> bool:
        left = self._refilled(holder, factor)
        within = left >= 1.0
        self._keep(holder, left - 1.0 if within else left)
        return within

    def _refilled(self, holder: str, factor: float) -> float:
        now = self._now()
        left, counted_at = self._left.pop(holder, (self._burst * factor, now))
        return min(self._burst * factor, left + (now - counted_at) * self._per_s * factor)

    def _keep(self, holder: str, left: float) -> None:
        while len(self._left) >= MACHINES_LIMIT:
            del self._left[next(iter(self._left))]
        self._left[holder] = (left, self._now())


def _holders(address: str) -> list[tuple[str, float]]:
    """Return the holders whose allowances an address uses, its own first, each with the factor on its allowance.

    A machine has every address of its IPv6 network, and so have its neighbours: they share one, so that it gains little
    by changing its address; it does not use theirs up without changing it.
    """
    if is_loopback(address):
        return [(address, LOOPBACK_FACTOR)]
    network = machine_of(address)
    return [(address, 1.0)] if "/" not in network else [(address, 1.0), (network, NETWORK_FACTOR)]
