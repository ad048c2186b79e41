"""The deliveries of one `[[webhook]]`: in order, tried again while they are of use, few in number, in memory alone."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from intercom.config.webhooks import WebhookConfig
from intercom.integrations.webhooks.signature import headers
from intercom.notify.message import Outcome

logger = logging.getLogger(__name__)

WAITING_LIMIT: Final = 256
"""Limit of deliveries that wait: some days of a quiet door; the oldest are dropped for newer ones."""
USEFUL_S: Final = 86_400.0
"""Time for which a delivery is tried."""
FIRST_PAUSE_S: Final = 1.0
"""First pause before another attempt; it doubles."""
LONGEST_PAUSE_S: Final = 300.0
"""Limit of that pause."""
PICTURE_S: Final = 3.0
"""Limit of the wait for the picture: the news is worth more."""
ARRIVED, REFUSED, LATE, DROPPED = "arrived", "refused", "late", "dropped"
FATES: Final = (ARRIVED, REFUSED, LATE, DROPPED)
"""What becomes of a delivery: it arrived, was refused, was tried for too long, or gave way to newer ones."""

Post = Callable[[bytes, dict[str, str]], Awaitable[Outcome]]
Look = Callable[[], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One fact on its way."""

    id: str
    """Id of the fact, the same at each attempt."""
    content: Mapping[str, Any]
    """The fact as JSON."""
    until: float
    """Time on the monotonic clock after which it is tried no more."""
    picture: Look | None = None
    """Waits for the picture that goes with it."""


class Hook:
    """The deliveries of one entry. Belongs to the event loop; `run` sends them."""

    def __init__(
        self,
        entry: WebhookConfig,
        name: str,
        *,
        post: Post,
        on_attempt: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`post` tries once; `on_attempt` is called after each attempt."""
        self.name = name
        "what its owner calls it"
        self.fault = ""
        "why its last delivery did not arrive; empty: it did, or there was none"
        self.fates: Counter[str] = Counter()
        "deliveries by what became of them"
        self.retries = 0
        "attempts that were made again after a pause"
        self.last_at: datetime | None = None
        "time of the last attempt"
        self._entry = entry
        self._post = post
        self._on_attempt = on_attempt
        self._clock = clock
        self._wall = wall
        self._pause = pause
        self._waiting: deque[Delivery] = deque()
        self._failures = 0
        "attempts that failed one after another"
        self._news = asyncio.Event()

    def __len__(self) -> int:
        """Return how many deliveries wait."""
        return len(self._waiting)

    @property
    def wants_picture(self) -> bool:
        """Whether the owner wants the picture of who rings."""
        return self._entry.picture

    def wants(self, kind: str) -> bool:
        """Return whether the owner wants to be told of this kind of fact."""
        return kind in self._entry.events

    def take(self, content: Mapping[str, Any], picture: Look | None) -> None:
        """Send this soon; too many drop the oldest."""
        if len(self._waiting) >= WAITING_LIMIT:
            self._waiting.popleft()
            self.fates[DROPPED] += 1
        self._waiting.append(Delivery(str(content["id"]), content, self._clock() + USEFUL_S, picture))
        self._news.set()

    async def run(self) -> None:
        """Send the deliveries, for ever."""
        while True:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
            delivery = self._waiting[0]
            outcome = await self.attempt(delivery)
            if outcome.arrived:
                self._end(delivery, ARRIVED)
            elif not outcome.again:
                self._end(delivery, REFUSED)
            elif self._clock() >= delivery.until:
                self._end(delivery, LATE)
            else:
                self.retries += 1
                longer_s = FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 16)
                await self._pause(max(outcome.after_s, min(LONGEST_PAUSE_S, longer_s)))

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Send a delivery once, with a time stamp of now, and return what became of it."""
        body = msgspec.json.encode(await self._content(delivery))
        outcome = await self._post(body, headers(self._entry.secret, delivery.id, int(self._wall()), body))
        self.last_at = datetime.fromtimestamp(self._wall(), UTC)
        self.fault = outcome.why
        self._failures = 0 if outcome.arrived else self._failures + 1
        if self._failures == 1:
            logger.warning("The webhook %s was not delivered: %s", self.name, outcome.why)
        self._on_attempt()
        return outcome

    async def _content(self, delivery: Delivery) -> Mapping[str, Any]:
        if delivery.picture is None:
            return delivery.content
        picture = None
        try:
            async with asyncio.timeout(PICTURE_S):
                picture = await delivery.picture()
        except TimeoutError:
            pass
        return {**delivery.content, "picture": None if picture is None else base64.b64encode(picture).decode()}

    def _end(self, delivery: Delivery, fate: str) -> None:
        """Note the fate of a delivery; one that gave way to newer ones meanwhile has its fate already."""
        if self._waiting and self._waiting[0] is delivery:
            self._waiting.popleft()
            self.fates[fate] += 1

    def document(self) -> dict[str, Any]:
        """Return what became of the deliveries, for the status."""
        return {
            "fault": self.fault,
            "waiting": len(self),
            "last_at": None if self.last_at is None else self.last_at.isoformat(timespec="milliseconds"),
            **{fate: self.fates[fate] for fate in FATES},
        }
