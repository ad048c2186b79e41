"""Wakes the house's devices when a door rings, and tells those that it woke how the ring ended."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Set
from typing import Final, NamedTuple

import msgspec

from intercom.space.push.notices import Kind, Notice
from intercom.space.push.pushes import Pushes
from intercom.space.push.receipts import Awaited
from intercom.space.push.sender import Outcome
from intercom.space.push.subscriptions import Subscription, Subscriptions
from intercom.space.push.unfinished import ShownRing, Unfinished
from intercom.space.switch.rings.ring import Ring
from intercom.tasks import TaskSet

END_TTL_S: Final = 24 * 3600
"""Time for which it keeps the end of a ring: a phone that was off all day shows in the evening what it missed."""
END_PATIENCE_S: Final = 60.0
"""Time limit for handing the end of a ring over; a ring has the time for which the door rings."""
RINGS_LIMIT: Final = 64
"""Limit of rings that are remembered; the house remembers as many."""
SHOWN_WITHIN_S: Final = 10.0
"""Time for a device to show a ring; then a door that has others to ring waits for it no more. Most need one or two."""
BACK_S: Final = 20.0
"""Time for a door to come back for a ring of before a restart; then the ring is missed. Doors are back within ten."""


class Hope(NamedTuple):
    """A device that a ring may still wake."""

    awaited: Awaited
    "Its push, whose receipt says that it shows the ring."
    told_at: float
    "Time of the push, seconds since 1970."


class Waker:
    """Sends pushes from the changes of the house's rings.

    :param kept: where the rings that devices show outlast this process.
    :param wall: the time of day, seconds since 1970.
    """

    def __init__(
        self, subscriptions: Subscriptions, pushes: Pushes, kept: Unfinished, *, wall: Callable[[], float]
    ) -> None:
        self._subscriptions = subscriptions
        self._pushes = pushes
        self._kept = kept
        self._wall = wall
        self._tasks = TaskSet()
        self._last: dict[str, tuple[Kind, str]] = {}
        "What was told of each ring last: its state, and by whom."
        self._told: dict[str, dict[str, Subscription]] = {}
        "Whom each ring was told, by device."
        self._hopes: dict[str, dict[str, Hope]] = {}
        "The devices that each ring may still wake."
        self._shown: dict[str, ShownRing] = {}
        "The rings that devices show as ringing, those of before a restart included."
        self._written: list[ShownRing] = []

    def start(self) -> None:
        """Take over the rings that an earlier process left, and end those for which no door comes back."""
        left = self._kept.left(self._wall())
        self._shown = {ring.id: ring for ring in left}
        self._written = left
        if left:
            self._tasks.spawn(self._end(left), name="rings of before the restart")

    async def stop(self) -> None:
        """Stop sending; what devices show is kept for the next process."""
        await self._tasks.stop()
        self._kept.keep(list(self._shown.values()))
        await self._pushes.stop()

    def changed(self, ring: Ring) -> None:
        """Take a change of a ring (`Rings.subscribe`)."""
        news = _news(ring)
        if self._last.get(ring.id) == news:
            if news[0] == "ring":  # it rings others as well
                self._wake(ring, self._told.get(ring.id, {}))
            return
        self._remember(ring.id, news)
        if news[0] == "ring":
            self._wake(ring, {})
        else:
            self._hopes.pop(ring.id, None)
            self._shown.pop(ring.id, None)
            notice = Notice(news[0], ring.id, ring.began_at, ring.place, news[1])
            self._tell(notice, self._told.get(ring.id, {}), silent=ring.silent)

    def wakes(self, ring_id: str, *, proven: bool = False) -> frozenset[str]:
        """Return the ids of the subscribers whom a ring may still wake.

        :param proven: leave out those whose device has had the time to show the ring, and did not.
        """
        told, hopes = self._told.get(ring_id, {}), self._hopes.get(ring_id, {})
        since = self._wall() - SHOWN_WITHIN_S
        return frozenset(
            told[device].subscriber_id
            for device, hope in hopes.items()
            if not proven or hope.told_at > since or hope.awaited.shown.is_set()
        )

    def _wake(self, ring: Ring, before: dict[str, Subscription]) -> None:
        """Tell the devices of a ring that it rings, but for those that were told before."""
        rung = self._subscriptions.of_subscribers(ring.rung - ring.spared)
        found = {one.device: one for one in rung if one.device not in before}
        told = self._told[ring.id] = {**before, **found}
        if not before:
            self._hopes[ring.id] = {}
        self._shown[ring.id] = ShownRing(ring.id, ring.place, ring.began_at, list(told))
        notice = Notice("ring", ring.id, ring.began_at, ring.place)
        self._tell(notice, found, rings_for_s=ring.for_s, silent=ring.silent)

    def _tell(
        self, notice: Notice, devices: Iterable[str], *, rings_for_s: float = 0.0, silent: Set[str] = frozenset()
    ) -> None:
        rings = notice.kind == "ring"
        ttl_s, patience_s = (math.ceil(rings_for_s), rings_for_s) if rings else (END_TTL_S, END_PATIENCE_S)
        for device in devices:
            subscription = self._subscriptions.of_device(device)
            if subscription is not None:  # it was not removed since
                quiet = subscription.subscriber_id in silent
                self._send(subscription, msgspec.structs.replace(notice, quiet=quiet), ttl_s, patience_s)
        if "push rings" not in self._tasks:
            self._tasks.spawn(self._keep(), name="push rings")

    def _send(self, subscription: Subscription, notice: Notice, ttl_s: int, patience_s: float) -> None:
        def done(outcome: Outcome) -> None:
            if outcome.fate != "accepted":
                self._hopes.get(notice.tag, {}).pop(subscription.device, None)

        awaited = self._pushes.send(subscription, notice, ttl_s=ttl_s, patience_s=patience_s, done=done)
        if notice.kind == "ring":
            self._hopes[notice.tag][subscription.device] = Hope(awaited, self._wall())

    async def _end(self, left: Iterable[ShownRing]) -> None:
        """Tell the devices of rings for which no door came back that they are missed."""
        await asyncio.sleep(BACK_S)
        for ring in left:
            if self._last.get(ring.id) is None:
                found = (self._subscriptions.of_device(device) for device in ring.devices)
                self._told[ring.id] = {known.device: known for known in found if known is not None}
                self._remember(ring.id, ("missed", ""))
                self._shown.pop(ring.id, None)
                self._tell(Notice("missed", ring.id, ring.began_at, ring.door), self._told[ring.id])

    async def _keep(self) -> None:
        """Write down what devices show, until it is written as it is."""
        while self._written != (shown := list(self._shown.values())):
            await asyncio.to_thread(self._kept.keep, shown)
            self._written = shown

    def _remember(self, ring_id: str, news: tuple[Kind, str]) -> None:
        self._last.pop(ring_id, None)
        self._last[ring_id] = news
        for oldest in list(self._last)[: max(0, len(self._last) - RINGS_LIMIT)]:
            for known in (self._last, self._told, self._hopes, self._shown):
                known.pop(oldest, None)


def _news(ring: Ring) -> tuple[Kind, str]:
    """Return what there is to tell of a ring: its state, and by whom."""
    if ring.ending is None:
        return "ring", ""
    if ring.opened_by:
        return "opened", ring.opened_by
    return ring.ending.how, ring.ending.by
