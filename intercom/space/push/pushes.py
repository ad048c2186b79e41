"""Sends notices to the house's devices, each in a task of its own, and keeps account of what became of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import msgspec

from intercom.config import SpaceConfig
from intercom.space.errors import StoreError
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.push.figures import PushFigures
from intercom.space.push.notices import Notice
from intercom.space.push.receipts import Awaited, Receipts
from intercom.space.push.sender import Outcome, Push, Sender
from intercom.space.push.services import PushServices
from intercom.space.push.subscriptions import Subscription
from intercom.space.push.vapid import Vapid, new_key
from intercom.space.store.store import Store
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

UNDER_WAY_LIMIT: Final = 256
"""Limit of pushes under way at once; a house with 36 devices has as many, and some that are tried again."""
REMEMBERED_LIMIT: Final = 64
"""Limit of rings whose newest notice is remembered."""
PROOF_LIMIT_S: Final = 60.0
"""Time in which the push that proves a device has to arrive: a phone that sleeps deeply takes half of it."""
NOTED_AFTER_S: Final = 5.0
"""Delay with which receipts and troubles are written down, together: while it rings the disk is left alone."""

Done = Callable[[Outcome], None]
"""Function that is told what became of a push."""


class Pushes:
    """All pushes of the space.

    :param wall: the time of day, seconds since 1970.
    """

    def __init__(self, store: Store, config: SpaceConfig, *, wall: Callable[[], float]) -> None:
        self.vapid = Vapid(store.value("vapid_key", new_key), config.push_contact, now=wall)
        self.services = PushServices(config.push_servers)
        self.figures = PushFigures()
        self._store = store
        self._wall = wall
        self._receipts = Receipts(now=time.monotonic)
        self._sender = Sender(self.vapid, self.services, now=time.monotonic, wall=wall)
        self._tasks = TaskSet()
        self._log = Seldom(logger)
        self._latest: dict[tuple[str, str], asyncio.Task[None]] = {}
        "The push under way for a device and a ring: the next one takes its place."
        self._shown: dict[str, float] = {}
        self._trouble: dict[str, str] = {}
        "What is to be written down, by device."
        self._newest: dict[str, Notice] = {}
        "The newest notice about each ring, for a device that shows an older one late."

    def send(
        self, subscription: Subscription, notice: Notice, *, ttl_s: int, patience_s: float, done: Done | None = None
    ) -> Awaited:
        """Begin to send a notice, in place of one about the same ring that is still under way."""
        self._remember(notice)
        receipt, awaited = self._receipts.expect(subscription.device, notice.tag)
        text = msgspec.structs.replace(notice, receipt=receipt).text
        push = Push(text, notice.topic, ttl_s, patience_s)
        key = subscription.device, notice.tag
        if (before := self._latest.pop(key, None)) is not None:
            before.cancel()
        if len(self._tasks) >= UNDER_WAY_LIMIT:
            self.figures.dropped += 1
            self._log.warn("full", "Too many pushes are under way; one to %s is not sent.", subscription.name)
            return awaited
        task = self._tasks.spawn(self._send(subscription, push, done), name="push")
        self._latest[key] = task
        task.add_done_callback(lambda over: self._latest.pop(key) if self._latest.get(key) is over else None)
        return awaited

    def prove(self, device: str, *, after_s: float) -> bool:
        """Wake a device in a while, so that its owner can close its page; return whether it has a subscription."""
        if self._store.subscriptions.of_device(device) is None:
            return False
        if (name := f"test of {device[:8]}") not in self._tasks:
            self._tasks.spawn(self._prove(device, after_s), name=name)
        return True

    def shown(self, receipt: str) -> Awaited | None:
        """Take a receipt; return its push, or None when it is no receipt of this space."""
        awaited = self._receipts.take(receipt)
        if awaited is not None:
            self.figures.receipt(awaited.took_s)
            self._shown[awaited.device] = self._wall()
            self._note_later()
        return awaited

    def newest(self, tag: str) -> Notice | None:
        """Return the newest notice about a ring."""
        return self._newest.get(tag)

    async def stop(self) -> None:
        """End what is under way, and write down what is known."""
        self._tasks.cancel()
        await self._sender.close()
        self._note()

    def _remember(self, notice: Notice) -> None:
        self._newest.pop(notice.tag, None)
        while len(self._newest) >= REMEMBERED_LIMIT:
            del self._newest[next(iter(self._newest))]
        self._newest[notice.tag] = notice

    async def _send(self, subscription: Subscription, push: Push, done: Done | None) -> None:
        outcome = await self._sender.send(subscription, push)
        self.figures.sent(outcome)
        if outcome.fate == "gone":
            self._forget(subscription)
        else:
            if outcome.told:
                logger.warning("%s cannot be woken by push: %s.", subscription.name, outcome.told)
            self._trouble[subscription.device] = outcome.told
            self._note_later()
        if done is not None:
            done(outcome)

    async def _prove(self, device: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        subscription = self._store.subscriptions.of_device(device)
        if subscription is not None:
            notice = Notice("proof", "proof", self._wall())
            self.send(subscription, notice, ttl_s=round(PROOF_LIMIT_S), patience_s=PROOF_LIMIT_S)

    def _forget(self, subscription: Subscription) -> None:
        logger.info("The push subscription of %s has ended: its browser gave it up.", subscription.name)
        try:
            self._store.subscriptions.remove(subscription.device, endpoint=subscription.endpoint)
        except StoreError as problem:
            logger.warning("The push subscription of %s cannot be deleted: %s", subscription.name, problem)

    def _note_later(self) -> None:
        if "push notes" not in self._tasks:
            self._tasks.spawn(self._note_in_time(), name="push notes")

    async def _note_in_time(self) -> None:
        await asyncio.sleep(NOTED_AFTER_S)
        self._note()

    def _note(self) -> None:
        """Write down what changed since the last time."""
        shown, trouble = self._shown, self._trouble
        self._shown, self._trouble = {}, {}
        try:
            self._store.subscriptions.note(shown, trouble)
        except StoreError as problem:
            logger.warning("It is not noted who showed a push: %s", problem)
