"""Hands a push to its service (RFC 8030): again where it may help, within a time limit, at nobody else's cost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal

import aiohttp
from aiohttp import hdrs

from intercom.space.errors import SubscriptionError
from intercom.space.push.connector import PrivateAddressError, connector
from intercom.space.push.encryption import encrypted
from intercom.space.push.services import PushServices
from intercom.space.push.subscriptions import Subscription
from intercom.space.push.vapid import Vapid

logger = logging.getLogger(__name__)

ATTEMPT = aiohttp.ClientTimeout(total=10.0, connect=5.0)
"""Time limits of one attempt; the services answer within 0.3 s."""
PAUSE_FIRST_S: Final = 0.5
"""First pause before another attempt; it doubles."""
PAUSE_LAST_S: Final = 8.0
"""Longest pause before another attempt, unless the service asks for a longer one."""
GONE: Final = (404, 410)
"""Answers of a service that knows the subscription no more (RFC 8030 §7.3)."""

Fate = Literal["accepted", "gone", "refused", "given up"]
"""What became of a push: its service took it; knows the subscription no more; refused it; was not reached in time."""


@dataclass(frozen=True, slots=True)
class Push:
    """What is sent to one browser."""

    text: bytes
    "The message, JSON; encrypted on its way."
    topic: str
    "A push replaces one of the same topic that still waits at the service: up to 32 characters of base64url."
    ttl_s: int
    "Time for which the service keeps it for a browser that is not there."
    patience_s: float
    "Time limit for handing it over, from now."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a push."""

    fate: Fate
    "Its fate."
    told: str = ""
    "Why, in words; empty for one that was accepted."
    attempts: int = 1
    "Number of attempts."


class Sender:
    """The space's way to all push services.

    :param now: monotonic seconds.
    :param wall: the time of day, seconds since 1970.
    :param pause: waits for some seconds.
    """

    def __init__(
        self,
        vapid: Vapid,
        services: PushServices,
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._vapid = vapid
        self._services = services
        self._now = now
        self._wall = wall
        self._pause = pause
        self._http: aiohttp.ClientSession | None = None

    async def send(self, subscription: Subscription, push: Push) -> Outcome:
        """Hand a push to the subscription's service; return what became of it. Raises nothing."""
        try:
            self._services.check(subscription.endpoint)
        except SubscriptionError as problem:  # the owner took a server out of `space.push_servers`
            return Outcome("refused", str(problem))
        body = encrypted(push.text, subscription.p256dh, subscription.auth)
        until, pause_s, attempts = self._now() + push.patience_s, PAUSE_FIRST_S, 0
        while True:
            attempts += 1
            outcome, wait_s = await self._attempt(subscription.endpoint, body, push)
            if outcome.fate != "given up":
                return Outcome(outcome.fate, outcome.told, attempts)
            wait_s = max(wait_s, pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it
            if self._now() + wait_s >= until:
                return Outcome(outcome.fate, outcome.told, attempts)
            await self._pause(wait_s)
            pause_s = min(2 * pause_s, PAUSE_LAST_S)

    async def close(self) -> None:
        """Close the connections to all services."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _attempt(self, endpoint: str, body: bytes, push: Push) -> tuple[Outcome, float]:
        """Try once; return what became of it, and for how long the service wants to be left alone."""
        headers = {
            hdrs.AUTHORIZATION: self._vapid.authorization(endpoint),
            hdrs.CONTENT_TYPE: "application/octet-stream",
            hdrs.CONTENT_ENCODING: "aes128gcm",
            "TTL": str(push.ttl_s),
            "Topic": push.topic,
            "Urgency": "high",
        }
        try:
            async with self._session().post(endpoint, data=body, headers=headers, allow_redirects=False) as answer:
                return _judged(answer.status), self._retry_after_s(answer.headers.get(hdrs.RETRY_AFTER, ""))
        except aiohttp.ClientConnectorError as problem:
            if isinstance(problem.os_error, PrivateAddressError):
                return Outcome("refused", str(problem.os_error)), 0.0
            return Outcome("given up", f"the push service is not reached: {problem.os_error}"), 0.0
        except TimeoutError:
            return Outcome("given up", "the push service does not answer in time"), 0.0
        except (aiohttp.ClientError, OSError, ValueError) as problem:  # whose words may hold the endpoint, a secret
            return Outcome("given up", f"the push service is not understood ({type(problem).__name__})"), 0.0

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=connector(self._services),
                timeout=ATTEMPT,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._http

    def _retry_after_s(self, said: str) -> float:
        """Return for how many seconds a service wants to be left alone (RFC 9110 §10.2.3); 0 if it says nothing."""
        if said.isdecimal():
            return float(said)
        try:
            return max(0.0, parsedate_to_datetime(said).timestamp() - self._wall())
        except (ValueError, OverflowError):
            return 0.0


def _judged(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome("accepted")
    try:
        told = f"the push service says {status} {HTTPStatus(status).phrase}"
    except ValueError:
        told = f"the push service says {status}"
    if status in GONE:
        return Outcome("gone", told)
    return Outcome("given up" if status == 429 or status >= 500 else "refused", told)
