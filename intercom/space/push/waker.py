"""Wakes the house's devices when a door rings, and tells those that it woke how the ring ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from intercom.space.push.notices import Kind, Notice
from intercom.space.push.pushes import Pushes
from intercom.space.push.sender import Outcome
from intercom.space.push.subscriptions import Subscription, Subscriptions
from intercom.space.switch.ring import Ring

RING_TTL_S: Final = 60
"""Time for which a push service keeps a ring for a phone that it does not reach: the door's usual ring time."""
END_TTL_S: Final = 24 * 3600
"""Time for which it keeps the end of a ring: a phone that was off all day shows in the evening what it missed."""
PATIENCE_S: Final = 60.0
"""Time limit for handing a push over."""
RINGS_LIMIT: Final = 64
"""Limit of rings that are remembered; the house remembers as many."""


class Waker:
    """Sends pushes from the changes of the house's rings."""

    def __init__(self, subscriptions: Subscriptions, pushes: Pushes) -> None:
        self._subscriptions = subscriptions
        self._pushes = pushes
        self._last: dict[str, tuple[Kind, str]] = {}
        "What was told of each ring last: its state, and by whom."
        self._told: dict[str, dict[str, Subscription]] = {}
        "Whom each ring was told, by device."
        self._hopes: dict[str, set[str]] = {}
        "The devices that each ring may still wake."

    def changed(self, ring: Ring) -> None:
        """Take a change of a ring (`Rings.subscribe`)."""
        kind, by = news = _news(ring)
        if self._last.get(ring.id) == news:
            return
        if kind == "ring":
            self._told[ring.id] = {s.device: s for s in self._subscriptions.of_subscribers(ring.rung)}
            self._hopes[ring.id] = set(self._told[ring.id])
        else:
            self._hopes.pop(ring.id, None)
        self._last.pop(ring.id, None)
        self._last[ring.id] = news
        self._forget_oldest()
        ttl_s = RING_TTL_S if kind == "ring" else END_TTL_S
        notice = Notice(kind, ring.id, ring.began_at, ring.door.name, by)
        for subscription in self._told.get(ring.id, {}).values():
            self._send(subscription, notice, ttl_s)

    def wakes(self, ring_id: str) -> frozenset[str]:
        """Return the ids of the subscribers whom a ring may still wake."""
        told = self._told.get(ring_id, {})
        return frozenset(told[device].subscriber_id for device in self._hopes.get(ring_id, ()))

    def _send(self, subscription: Subscription, notice: Notice, ttl_s: int) -> None:
        def done(outcome: Outcome) -> None:
            if outcome.fate != "accepted":
                self._hopes.get(notice.tag, set()).discard(subscription.device)

        self._pushes.send(subscription, notice, ttl_s=ttl_s, patience_s=PATIENCE_S, done=done)

    def _forget_oldest(self) -> None:
        for ring_id in _over(self._last, RINGS_LIMIT):
            for known in (self._last, self._told, self._hopes):
                known.pop(ring_id, None)


def _news(ring: Ring) -> tuple[Kind, str]:
    """Return what there is to tell of a ring: its state, and by whom."""
    if ring.ending is None:
        return "ring", ""
    if ring.opened_by:
        return "opened", ring.opened_by
    return ring.ending.how, ring.ending.by


def _over(known: Iterable[str], limit: int) -> list[str]:
    """Return the oldest of those that are too many."""
    names = list(known)
    return names[: max(0, len(names) - limit)]
