"""Turn the journal's facts into messages for people: one for each press, whose text follows what becomes of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from intercom.door.health.faults import Part
from intercom.facts import (
    Answered,
    CallBegan,
    CallIdentity,
    DoorOpened,
    Ended,
    FaultBegan,
    FaultCleared,
    Pressed,
    PressWaits,
    Unreached,
)
from intercom.history.journal import Entry
from intercom.notify.message import Look, Message
from intercom.plain_text import plain

HEAD_START_S = 0.25
"""Delay of the first message after a press whose call has not begun before: nothing goes ahead of the ring itself."""
FAULT_SETTLES_S = 60.0
"""Time that a fault lasts before people are told: most are over by then."""
NEWS_S = 3600.0
"""Time for which it is worth knowing who was missed, or what broke."""
QUOTED_CHARS = 200
"""Limit of what a message quotes."""

Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


class Reader(Protocol):
    """Takes the messages."""

    def tell(self, message: Message) -> None:
        """Send this to whoever wants it."""

    def forget(self, tag: str) -> None:
        """Nobody needs what waits with this tag."""

    def picture(self) -> Look:
        """Begin to take the picture of who rings, and return what waits for it."""


@dataclass(slots=True)
class _Ring:
    """A press that rings, or waits to."""

    tag: str
    at: str
    "time of the press, for people"
    until: float
    "time on the monotonic clock at which it has stopped at the latest"
    picture: Look
    due: asyncio.TimerHandle | None = None
    "when people are told; None: they were"


class NotifyStory:
    """Listens to the journal. Belongs to the event loop."""

    def __init__(self, reader: Reader, *, ring_time_s: float, later: Later | None = None) -> None:
        self._reader = reader
        self._ring_time_s = ring_time_s
        self._later: Later = later or (lambda delay, call: asyncio.get_running_loop().call_later(delay, call))
        self._ring: _Ring | None = None
        self._settling: dict[str, asyncio.TimerHandle] = {}
        "faults that people are told of when they last, by kind"
        self._broken: dict[str, str] = {}
        "tag of each open fault that people were told of, by kind"

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        match entry.fact:
            case Pressed() | PressWaits():
                self._begin(entry)
            case CallBegan(call) if call.direction == "outbound":
                self._tell_of_the_ring()
            case Answered(call) if call.direction == "outbound":
                self._tell("answered", entry, "Somebody answered", f"{_who(call)} answered at {_clock(entry)}.")
            case Unreached():
                self._missed(entry, "Nobody was reached")
            case Ended(call, answered=True) if call.direction == "outbound":
                self._ring = None
            case Ended(call) as ended if call.direction == "outbound":
                self._missed(entry, "It was refused" if ended.outcome == "busy" else "Nobody answered")
            case DoorOpened(by):
                body = f"{plain(by, QUOTED_CHARS)} opened it at {_clock(entry)}."
                self._tell("opened", entry, "The door was opened", body)
            case FaultBegan(kind, why) if kind != Part.NOTIFY:
                self._settling[kind] = self._later(FAULT_SETTLES_S, lambda: self._broke(entry, kind, why))
            case FaultCleared(kind):
                self._mended(entry, kind)

    def stop(self) -> None:
        """Cancel what is still to be told."""
        for timer in self._settling.values():
            timer.cancel()
        if self._ring is not None and self._ring.due is not None:
            self._ring.due.cancel()

    # -- a press -------------------------------------------------------------------------------------

    def _begin(self, entry: Entry) -> None:
        """Tell of a press in a moment; one that waited, and rings now, was told of."""
        if self._ring is not None and entry.moment < self._ring.until:
            return
        self._ring = _Ring(
            tag=new_tag(),
            at=_clock(entry),
            until=entry.moment + self._ring_time_s,
            picture=self._reader.picture(),
            due=self._later(HEAD_START_S, self._tell_of_the_ring),
        )

    def _tell_of_the_ring(self) -> None:
        ring = self._ring
        if ring is None or ring.due is None:
            return
        ring.due.cancel()
        ring.due = None
        body = f"Somebody rings since {ring.at}."
        self._reader.tell(Message("ring", "Somebody is at the door", body, ring.tag, ring.until, ring.picture))

    def _missed(self, entry: Entry, what: str) -> None:
        at = _clock(entry) if self._ring is None else self._ring.at
        self._tell("missed", entry, "Somebody was at the door", f"{what} at {at}.")
        self._ring = None

    def _tell(self, event: str, entry: Entry, title: str, body: str) -> None:
        """Tell what became of the press, in the place of what was told of it; without one, tell it by itself."""
        ring = self._ring
        if ring is not None and ring.due is not None:
            ring.due.cancel()
            ring.due = None
        tag = new_tag() if ring is None else ring.tag
        self._reader.forget(tag)
        self._reader.tell(Message(event, title, body, tag, entry.moment + NEWS_S))

    # -- faults --------------------------------------------------------------------------------------

    def _broke(self, entry: Entry, kind: str, why: str) -> None:
        del self._settling[kind]
        tag = self._broken[kind] = new_tag()
        words = kind.replace("_", " ")
        body = f"The {words} does not work since {_clock(entry)}" + (f": {plain(why, QUOTED_CHARS)}" if why else ".")
        self._reader.tell(
            Message("fault", f"The door needs you: {words}", body, tag, entry.moment + NEWS_S, warns=True)
        )

    def _mended(self, entry: Entry, kind: str) -> None:
        timer, tag = self._settling.pop(kind, None), self._broken.pop(kind, None)
        if timer is not None:
            timer.cancel()
        if tag is not None:
            words = kind.replace("_", " ")
            body = f"The {words} works since {_clock(entry)}."
            self._reader.tell(Message("fault", f"It works again: {words}", body, tag, entry.moment + NEWS_S))


def new_tag() -> str:
    """Return a mark for what happened, which nobody can guess."""
    return secrets.token_hex(8)


def _clock(entry: Entry) -> str:
    """Return the time of a fact as people of this house tell it."""
    return entry.at.astimezone().strftime("%H:%M")


def _who(call: CallIdentity) -> str:
    return plain(call.name or call.address or "Somebody", QUOTED_CHARS)
