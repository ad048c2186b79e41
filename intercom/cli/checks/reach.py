"""Says how far each device of the house is reached, and what to do where something of it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from intercom.cli.render import moment, printable

HEAD: Final = ("PAGE", "WSS", "RANG OPEN", "PUSH", "LAST RECEIPT", "RANG CLOSED")
"""Head of the columns of `Reach.cells`."""


class Reach(msgspec.Struct, frozen=True):
    """How far a resident's device is reached, as the space knows it."""

    name: str
    """Display name."""
    seen_on: str
    """The day on which its page last signed in, ISO 8601; empty when it never did."""
    push: bool
    """Whether it has a push subscription."""
    shown_at: float
    """Time of its last receipt of a push, seconds since 1970; 0 without one."""
    trouble: str
    """What went wrong with the last push to it; empty when nothing did."""
    door: bool = False
    """Whether it is a door, which rings the house and is not rung by a page."""
    online: bool = False
    """Whether its page is connected now, as far as that is known."""
    registered_on: str = ""
    """The day on which it last came over its socket, ISO 8601; empty when it never did."""
    rang_at: float = 0.0
    """Time at which its owner last heard its open page ring, seconds since 1970; 0 for never."""
    woken_at: float = 0.0
    """Time at which its owner last tapped a test that came while its page was closed; 0 for never."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns under `HEAD`."""
        push = "fails" if self.trouble else "yes" if self.push else "no"
        came = "now" if self.online else self.registered_on or "never"
        if self.door:
            return self.seen_on or "never", came, "", "", "", ""
        seen = self.seen_on or "never"
        return seen, came, moment(self.rang_at), push, moment(self.shown_at), moment(self.woken_at)

    @property
    def line(self) -> str:
        """The same in one line."""
        told = ", ".join(f"{what.lower()} {cell}" for what, cell in zip(HEAD, self.cells, strict=True))
        return f"{printable(self.name)}: {told}"

    @property
    def rings(self) -> bool:
        """Whether nothing stands in the way of a ring."""
        return bool(self.seen_on and (self.online or self.registered_on)) and not self.trouble

    def missing(self) -> Iterator[str]:
        """Yield what to do for each thing that is missing, the first one first."""
        if self.door:
            return
        if not self.seen_on:
            yield "open its page; where that is not trusted, `intercom space trust` says how"
        elif not (self.online or self.registered_on):
            yield (
                "open its page: if it says that it cannot open its connection, the device has to trust the house first "
                "(`intercom space trust`)"
            )
        elif not self.rang_at:
            yield "on its page, tap Check this device and let it ring while the page is open"
        if self.trouble:
            yield f"it is not woken ({self.trouble}): on its page, turn Notifications off and on, then tap Test"
        elif not self.push:
            yield "on its page, tap Turn on beside Notifications; until then it rings only while that is open"
        elif not self.shown_at:
            yield "on its page, tap Test beside Notifications: it has not shown one yet"
        elif not self.woken_at:
            yield "on its page, tap Check this device and let it ring while the page is closed"
