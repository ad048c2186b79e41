"""The messages of one `[[notify]]` on their way: one at a time, tried again while they are of use, few in number."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

from intercom.config import NotifyConfig
from intercom.notify.message import Message, Order, Outcome
from intercom.notify.process import deliver

logger = logging.getLogger(__name__)

WAITING_LIMIT = 16
"""Limit of messages that wait: more than a service that comes back should pour over anybody."""
FIRST_PAUSE_S = 2.0
"""First pause before another attempt; it doubles."""
LONGEST_PAUSE_S = 300.0
"""Limit of that pause."""
PICTURE_S = 3.0
"""Limit of the wait for the picture: a face that comes late is worth less than a bell."""
PICTURE_LIMIT_BYTES = 4 * 1024 * 1024
NO_LINK = "none"
"""Value of the setting `link` for no link."""
ARRIVED, REFUSED, LATE, DROPPED = "arrived", "refused", "late", "dropped"
FATES = (ARRIVED, REFUSED, LATE, DROPPED)
"""What becomes of a message: it arrived, was refused, was of no use any more, or gave way to newer ones."""

Deliver = Callable[[str, Callable[[], Awaitable[Order]]], Awaitable[Outcome]]


class Attempt(msgspec.Struct, frozen=True):
    """The last attempt to send a message."""

    at: datetime
    """Time of its end."""
    outcome: Outcome
    """What became of it."""
    took_s: float
    """Time that it took in seconds."""


class Outbox:
    """The messages of one entry. Belongs to the event loop; `run` sends them."""

    def __init__(
        self,
        entry: NotifyConfig,
        name: str,
        *,
        link: Callable[[], str],
        at_once: asyncio.Semaphore,
        on_attempt: Callable[[], object],
        deliver: Deliver = deliver,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`link` returns where the page is; `at_once` limits the processes of all entries together."""
        self.name = name
        "what its owner calls it"
        self.fates: Counter[str] = Counter()
        "messages by what became of them"
        self.last: Attempt | None = None
        self.fault = ""
        "why its last message did not arrive; empty: it did, or there was none"
        self._entry = entry
        self._link = link
        self._at_once = at_once
        self._on_attempt = on_attempt
        self._deliver = deliver
        self._clock = clock
        self._now = now
        self._waiting: deque[Message] = deque()
        self._tested: dict[int, asyncio.Future[Attempt]] = {}
        "who waits for a test, by the message's identity"
        self._sending: Message | None = None
        self._last_try = False
        "whether what is being sent is tried no more"
        self._failures = 0
        "attempts that failed one after another"
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._waiting)

    @property
    def wants_pictures(self) -> bool:
        """Whether the owner wants the picture of who rings."""
        return self._entry.picture and "ring" in self._entry.events

    def wants(self, event: str) -> bool:
        """Return whether the owner wants to be told of this event."""
        return event in self._entry.events

    def take(self, message: Message) -> None:
        """Send this message soon, in the place of one of the same tag that still waits; too many drop the oldest."""
        self.forget(message.tag)
        while len(self._waiting) >= WAITING_LIMIT:
            self._end(next(old for old in self._waiting if old is not self._sending), DROPPED)
        self._waiting.append(message)
        self._news.set()
        if message.urgent:
            self._hurry.set()

    def forget(self, tag: str) -> None:
        """Drop what waits with this tag, and try what is being sent no more: nobody needs it."""
        for message in [message for message in self._waiting if message.tag == tag]:
            if message is self._sending:
                self._last_try = True
            else:
                self._end(message, LATE)

    async def test(self, message: Message) -> Attempt:
        """Send this message, once, and return what became of it."""
        done: asyncio.Future[Attempt] = asyncio.get_running_loop().create_future()
        self._tested[id(message)] = done
        self.take(message)
        try:
            return await done
        finally:
            self._tested.pop(id(message), None)

    def blame(self, fault: str) -> None:
        """Note a fault that showed before the first message."""
        if self.last is None:
            self.fault = fault

    async def run(self) -> None:
        """Send the messages, for ever."""
        while True:
            message = self._next()
            if message is None:
                self._news.clear()
                await self._news.wait()
                continue
            self._sending, self._last_try = message, id(message) in self._tested
            self._hurry.clear()
            outcome = Outcome(arrived=False)
            try:
                outcome = await self._try(message)
            finally:  # whatever failed, the next run begins with another message
                self._sending = None
                if not outcome.again or self._last_try:
                    self._end(message, _fate(message, outcome))
            if outcome.again:
                await self._pause(outcome.after_s)

    def _next(self) -> Message | None:
        """Return the message to send now: an urgent one, else the oldest; drop those that are of no use any more."""
        for message in [message for message in self._waiting if message.useful_until <= self._clock()]:
            self._end(message, LATE)
        urgent = (message for message in self._waiting if message.urgent)
        return next(urgent, self._waiting[0] if self._waiting else None)

    async def _try(self, message: Message) -> Outcome:
        async with self._at_once:
            began = self._clock()
            scheme = self._entry.url.partition("://")[0].lower()
            outcome = await self._deliver(scheme, partial(self._order, message))
        self.last = Attempt(self._now(), outcome, self._clock() - began)
        if outcome.arrived:
            self._failures = 0
            self.fault = ""
            logger.debug("%s: %s arrived after %.1f s", self.name, message.event, self.last.took_s)
        else:
            self._failures += 1
            self.fault = outcome.why
            logger.log(
                logging.WARNING if self._failures == 1 else logging.DEBUG,
                "The message of a %s did not arrive at %s: %s",
                message.event,
                self.name,
                outcome.why,
            )
        self._on_attempt()
        return outcome

    async def _order(self, message: Message) -> Order:
        return Order(
            url=self._entry.url,
            title=message.title,
            body=message.body,
            link="" if self._entry.link == NO_LINK else self._entry.link or self._link(),
            tag=message.tag,
            picture=await self._picture(message) if self._entry.picture else b"",
            urgent=message.urgent,
            warns=message.warns,
        )

    async def _picture(self, message: Message) -> bytes:
        try:
            async with asyncio.timeout(PICTURE_S):
                picture = await message.picture() or b""
        except TimeoutError:
            return b""
        return picture if len(picture) <= PICTURE_LIMIT_BYTES else b""

    async def _pause(self, asked_s: float) -> None:
        """Wait before another attempt; a new urgent message ends the wait."""
        pause_s = max(asked_s, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (self._failures - 1)))
        try:
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()
        except TimeoutError:
            return

    def _end(self, message: Message, fate: str) -> None:
        self._waiting.remove(message)
        self.fates[fate] += 1
        waiter = self._tested.get(id(message))
        if waiter is None or waiter.done():
            return
        if self.last is not None and fate in (ARRIVED, REFUSED):
            waiter.set_result(self.last)
        else:
            waiter.set_result(Attempt(self._now(), Outcome(arrived=False, why="other messages went first"), 0.0))


def _fate(message: Message, outcome: Outcome) -> str:
    """Return the fate of a message that is tried no more."""
    if outcome.arrived:
        return ARRIVED
    return LATE if outcome.again and message.event != "test" else REFUSED
