"""The one call that the door has, and who its far end is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from intercom.address import Address
from intercom.may_open import Kind
from intercom.signalwire import WebRTCCall


@dataclass
class CurrentCall:
    """The one call."""

    ticket: int
    call: WebRTCCall
    outbound: bool
    rings_until: float
    "until then it may ring; the event loop's clock"
    statuses: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    answering: bool = False
    "somebody at the door answers it, or has"
    answered: bool = False
    given_up: bool = False
    "ended from here: nobody at the door needs to be told why"
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    subscriptions: list[Any] = field(default_factory=list)

    @property
    def far_end(self) -> Address:
        """Its address."""
        return Address.parse(self.call.to if self.outbound else self.call.from_)

    @property
    def kind(self) -> Kind:
        """What the space says that its far end is."""
        return Kind(self.call.far_end_kind)

    def close(self) -> None:
        """Nothing of it is waited for any more."""
        for timer in self.timers:
            timer.cancel()
        for subscription in self.subscriptions:
            subscription.dispose()
