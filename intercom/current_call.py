"""The one call that the door has, and who its far end is."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from intercom.signalwire import WebRTCCall

ADDRESS_CHARS = 128


@dataclass
class CurrentCall:
    """The one call."""

    ticket: int
    call: WebRTCCall
    outbound: bool
    address: str = ""
    "whom the door rings"
    patience_until: float = 0.0
    "until then it is rung again when nobody is there yet; the event loop's clock"
    statuses: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    keys: str = ""
    "the last keys that the far end pressed, as many as open the door"
    answered: bool = False
    given_up: bool = False
    "ended from here: nobody at the door needs to be told why"
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    subscriptions: list[Any] = field(default_factory=list)

    @property
    def far_end(self) -> str:
        """Its address, fit for a log line: callers name themselves."""
        address = self.call.to if self.outbound else self.call.from_
        return "".join(character if character.isprintable() else "?" for character in address[:ADDRESS_CHARS])

    def close(self) -> None:
        """Nothing of it is waited for any more."""
        for timer in self.timers:
            timer.cancel()
        for subscription in self.subscriptions:
            subscription.dispose()


def is_listed(address: str, patterns: Iterable[str]) -> bool:
    """Whether an address is on a list whose entries may end in `*`; the query does not count."""
    plain = address.partition("?")[0]
    return any(fnmatch.fnmatchcase(plain, pattern) for pattern in patterns)
