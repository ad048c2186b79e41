"""A message, and what became of an attempt to send it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import Struct

Look = Callable[[], Awaitable[bytes | None]]
"""Returns the picture of who rings, as JPEG; None when there is none."""


async def no_picture() -> bytes | None:
    """Return no picture."""
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """What people are told."""

    event: str
    """Event that it tells: one of the setting `notify.events`, or "test"."""
    title: str
    """Title, a few words."""
    body: str
    """Text, a sentence."""
    tag: str
    """Mark of what happened: a later message of the same tag takes the place of an earlier one, where that is known."""
    useful_until: float
    """Time on the monotonic clock after which nobody needs it any more."""
    picture: Look = no_picture
    """The picture that goes with it."""
    warns: bool = False
    """Whether it tells of something that is wrong."""

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for it at this moment."""
        return self.event in {"ring", "test"}


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one attempt to send a message."""

    arrived: bool
    """Whether the service took it."""
    why: str = ""
    """Reason why it did not, or why it went without its picture: words of ours, which quote nothing and no secret."""
    again: bool = False
    """Whether another attempt may succeed."""
    after_s: float = 0.0
    """Pause in seconds that the service asks for before another attempt."""


class Order(Struct, frozen=True):
    """One message for the child process, with all that it needs."""

    url: str
    """URL of the service, a secret."""
    title: str = ""
    body: str = ""
    link: str = ""
    """Where "Open the page" leads; empty: there is no link."""
    tag: str = ""
    picture: bytes = b""
    """The picture as JPEG; empty: there is none."""
    urgent: bool = False
    warns: bool = False


class Verdict(Struct, frozen=True, forbid_unknown_fields=True):
    """What apprise makes of some URLs."""

    faults: list[str]
    """Fault of each URL, in their order; empty where there is none."""
