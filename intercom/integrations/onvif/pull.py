"""Pull-point subscriptions: what happened waits, bounded, for the recorders that ask for it (ONVIF Core, 9)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from intercom.integrations.onvif.soap import SoapError, element
from intercom.integrations.rtsp.accounts import Account

MOST_SUBSCRIPTIONS = 8
"""Limit of subscriptions: a house has a recorder and Home Assistant. The one that ends first makes room."""
MOST_WAITING = 64
"""Limit of messages that wait for one subscription; the oldest goes first."""
LONGEST_S = 3600.0
"""Longest time for which a subscription lasts without being renewed or pulled."""
LONGEST_PULL_S = 60.0
"""Longest wait for a message."""
TOPIC = "tns1:Device/Trigger/DigitalInput"
BELL, CONTACT = "Bell", "Contact"
"""Tokens of the inputs."""


@dataclass(frozen=True, slots=True)
class Change:
    """An input that has changed, or is what it is."""

    token: str
    state: bool
    at: datetime
    is_new: bool

    def message(self) -> str:
        """Return the notification (wsnt:NotificationMessage)."""
        source = element("tt:Source", element("tt:SimpleItem", Name="InputToken", Value=self.token))
        state = "true" if self.state else "false"
        data = element("tt:Data", element("tt:SimpleItem", Name="LogicalState", Value=state))
        operation = "Changed" if self.is_new else "Initialized"
        inner = element(
            "tt:Message", source, data, UtcTime=self.at.strftime("%Y-%m-%dT%H:%M:%SZ"), PropertyOperation=operation
        )
        topic = element("wsnt:Topic", TOPIC, Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet")
        return element("wsnt:NotificationMessage", topic, element("wsnt:Message", inner))


@dataclass(slots=True)
class Subscription:
    """What waits for one recorder."""

    account: Account
    ends_s: float
    waiting: deque[Change] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, changes: Iterable[Change]) -> None:
        """Let changes wait."""
        self.waiting.extend(changes)
        self.arrived.set()


class Inputs:
    """The door's inputs, and those who follow them. Belongs to the event loop."""

    def __init__(
        self,
        *,
        has_contact: bool,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._now = now
        self._states = {BELL: False} | ({CONTACT: False} if has_contact else {})
        self._subscriptions: dict[str, Subscription] = {}

    def __len__(self) -> int:
        now_s = self._clock()
        return sum(each.ends_s > now_s for each in self._subscriptions.values())

    def change(self, token: str, state: bool) -> None:
        """Tell everybody that an input has changed; nothing where it has not."""
        if self._states.get(token) in (None, state):
            return
        self._states[token] = state
        for subscription in self._subscriptions.values():
            subscription.put([Change(token, state, self._now(), is_new=True)])

    def subscribe(self, account: Account, lasts_s: float) -> tuple[str, float]:
        """Return a new subscription's key, and for how long it lasts; it begins with what is now."""
        self.forget()
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            oldest = min(self._subscriptions, key=lambda key: self._subscriptions[key].ends_s)
            del self._subscriptions[oldest]
        key, lasts_s = secrets.token_urlsafe(16), min(lasts_s, LONGEST_S)
        subscription = self._subscriptions[key] = Subscription(account, self._clock() + lasts_s)
        subscription.put(self._present())
        return key, lasts_s

    def synchronize(self, key: str, account: Account) -> None:
        """Tell a subscription again what is now; raises SoapError."""
        self._of(key, account).put(self._present())

    async def pull(self, key: str, account: Account, wait_s: float, most: int) -> list[Change]:
        """Return what waits, at once or when it comes, none after `wait_s`; raises SoapError."""
        subscription = self._of(key, account)
        subscription.ends_s = max(subscription.ends_s, self._clock() + LONGEST_PULL_S * 2)
        if not subscription.waiting:
            subscription.arrived.clear()
            try:
                async with asyncio.timeout(min(max(wait_s, 0.0), LONGEST_PULL_S)):
                    await subscription.arrived.wait()
            except TimeoutError:
                return []
        return [subscription.waiting.popleft() for _ in range(min(max(most, 1), len(subscription.waiting)))]

    def renew(self, key: str, account: Account, lasts_s: float) -> float:
        """Let a subscription last longer; return for how long. Raises SoapError."""
        lasts_s = min(lasts_s, LONGEST_S)
        self._of(key, account).ends_s = self._clock() + lasts_s
        return lasts_s

    def left_s(self, key: str, account: Account) -> float:
        """Return for how long a subscription still lasts; raises SoapError."""
        return self._of(key, account).ends_s - self._clock()

    def unsubscribe(self, key: str, account: Account) -> None:
        """End a subscription; raises SoapError."""
        self._of(key, account)
        del self._subscriptions[key]

    def forget(self) -> None:
        """Forget the subscriptions whose time is over."""
        now_s = self._clock()
        self._subscriptions = {key: each for key, each in self._subscriptions.items() if each.ends_s > now_s}

    def _of(self, key: str, account: Account) -> Subscription:
        self.forget()
        subscription = self._subscriptions.get(key)
        if subscription is None or subscription.account.name != account.name:
            raise SoapError("There is no such subscription: subscribe again.", "ter:InvalidArgVal")
        return subscription

    def _present(self) -> list[Change]:
        return [Change(token, state, self._now(), is_new=False) for token, state in self._states.items()]
