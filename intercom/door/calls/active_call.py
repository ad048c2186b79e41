"""The door's one call, and the identity of its far end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from intercom.address import Address
from intercom.facts import CallIdentity
from intercom.opening.decision import Kind
from intercom.plain_text import plain
from intercom.signalwire import SignalWireError, WebRTCCall

logger = logging.getLogger(__name__)

NAME_CHARS = 64
"""Limit of a far end's name in characters; the embedded space gives no longer one."""

_OVER = ("disconnecting", "disconnected", "failed", "destroyed")
"""Statuses of a call that is over; the door does not wait for its media to close."""
_ANSWERED = ("connecting", "connected")
"""Statuses of a call that somebody has answered."""


def identity_of(call: WebRTCCall, far_end: Address | None = None) -> CallIdentity:
    """Return the call's id, direction and far end, safe to show; its address is `far_end` where that is known."""
    outbound = call.direction == "outbound"
    address = str(Address.parse(call.to if outbound else call.from_))
    return CallIdentity(
        id=call.id,
        direction=call.direction,
        address=str(far_end or "") or address,
        name=plain(call.to_name if outbound else call.from_name, NAME_CHARS),
    )


@dataclass
class CurrentCall:
    """The door's one call."""

    ticket: int
    call: WebRTCCall
    outbound: bool
    rings_until: float
    "deadline of the ringing, on the event loop's clock"
    statuses: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    in_space: bool = True
    "the service is a space, which knows what its members are; another passes on what callers say"
    answering: bool = False
    "somebody at the door is answering the call, or has answered"
    answered: bool = False
    given_up: bool = False
    "hung up by the door: nobody there needs to be told why it ended"
    rung: tuple[str, ...] = ()
    "addresses that the door rings in this call, if it is outbound"
    rung_before: tuple[str, ...] = ()
    "addresses that it rang at earlier steps of the press: who answered as their step ended is reached in this call"
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    subscriptions: list[Any] = field(default_factory=list)

    @property
    def far_end(self) -> Address:
        """Return the far end's address.

        Where the door rang several, or the space names another, it is the one at which somebody answered: the space
        must tell it, and the door must have rung it for this press.
        """
        if not self.outbound:
            return Address.parse(self.call.from_)
        told = self.call.answered_address if self.in_space else ""
        if not told and len(self.rung) < 2:
            return Address.parse(self.call.to)
        rung = {address.partition("?")[0] for address in (*self.rung_before, *self.rung)}
        return Address.parse(told if told in rung else "")

    @property
    def is_answered(self) -> bool:
        """Whether somebody has answered, even if that is not noted yet."""
        return self.answered or self.call.status in _ANSWERED

    @property
    def kind(self) -> Kind:
        """Return the far end's kind, as the space states it; any service is believed that it is a door."""
        told = Kind(self.call.far_end_kind)
        return told if self.in_space or told is Kind.DOOR else Kind.UNKNOWN

    async def over(self, *, answered: Callable[[], None]) -> None:
        """Return when the call is over; `answered` is called once if somebody answers it."""
        while (status := await self.statuses.get()) not in _OVER:
            if status in _ANSWERED and not self.answered:
                self.answered = True
                answered()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after a time, unless the call is over by then."""
        self.timers.append(asyncio.get_running_loop().call_later(seconds, action))

    def close(self) -> None:
        """Cancel the call's timers and subscriptions."""
        for timer in self.timers:
            timer.cancel()
        for subscription in self.subscriptions:
            subscription.dispose()


async def quietly(sending: Coroutine[Any, Any, None]) -> None:
    """Send a message whose loss has no consequence."""
    try:
        await sending
    except SignalWireError as error:
        logger.info("Not delivered: %s", error)
