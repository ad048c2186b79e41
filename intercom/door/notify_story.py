"""Turn the journal's facts into messages for people: one for each press, whose text follows what becomes of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from intercom.door.health.faults import ALARMS, Part
from intercom.facts import (
    Answered,
    CallBegan,
    CallIdentity,
    DoorOpened,
    Ended,
    FaultBegan,
    FaultCleared,
    MessageLeft,
    Pressed,
    PressedAgain,
    PressWaits,
    StepNotifies,
    Unreached,
)
from intercom.history.journal import Entry
from intercom.languages import Catalogue
from intercom.notify.message import Look, Message
from intercom.plain_text import plain

HEAD_START_S = 0.25
"""Delay of the first message after a press whose call has not begun before: nothing goes ahead of the ring itself."""
FAULT_SETTLES_S = 60.0
"""Time that a fault lasts before people are told: most are over by then."""
NEWS_S = 3600.0
"""Time for which it is worth knowing who was missed, or what broke."""
ANOTHER_S = 60.0
"""Time in which presses during a call are told once: they are one visitor's."""
QUOTED_CHARS = 200
"""Limit of what a message quotes."""

Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


class Reader(Protocol):
    """Takes the messages."""

    def tell(self, message: Message, named: Collection[str] = (), *, only: bool = False) -> None:
        """Send this to whoever wants it, of those whom steps of plans name to the `named`; `only` to them."""

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
    button: str = ""
    "name of the button"
    named: set[str] = field(default_factory=set)
    "services that the steps until now have named"


class NotifyStory:
    """Listens to the journal. Belongs to the event loop."""

    def __init__(self, reader: Reader, words: Catalogue, *, ring_time_s: float, later: Later | None = None) -> None:
        self._reader = reader
        self._words = words
        self._ring_time_s = ring_time_s
        self._later: Later = later or (lambda delay, call: asyncio.get_running_loop().call_later(delay, call))
        self._ring: _Ring | None = None
        self._talks = False
        "whether somebody talks with the door"
        self._another_at = float("-inf")
        "time of the last press during a call that was told, on the monotonic clock"
        self._settling: dict[str, asyncio.TimerHandle] = {}
        "faults that people are told of when they last, by kind"
        self._broken: dict[str, str] = {}
        "tag of each open fault that people were told of, by kind"

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        self._talks = isinstance(entry.fact, Answered) or (self._talks and not isinstance(entry.fact, Ended))
        match entry.fact:
            case Pressed() | PressWaits():
                self._begin(entry)
            case PressedAgain() if self._talks and entry.moment >= self._another_at + ANOTHER_S:
                self._another_visitor(entry)
            case StepNotifies(names):
                self._step_begins(set(names))
            case CallBegan(call) if call.direction == "outbound":
                self._tell_of_the_ring()
            case Answered(call) if call.direction == "outbound":
                self._tell("answered", entry, "notify.answered.body", by=self._who(call))
            case Unreached():
                self._missed(entry, "notify.unreached")
            case Ended(call, answered=True) if call.direction == "outbound":
                self._ring = None
            case Ended(call) as ended if call.direction == "outbound":
                self._missed(entry, "notify.refused" if ended.outcome == "busy" else "notify.unanswered")
            case MessageLeft(seconds=seconds):
                self._left_a_message(entry, seconds)
            case DoorOpened(by):
                self._tell("opened", entry, "notify.opened.body", by=plain(by, QUOTED_CHARS))
            case FaultBegan(kind, why) if kind != Part.NOTIFY:
                self._fault_began(entry, kind, why)
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
        button = entry.fact.button if isinstance(entry.fact, Pressed) else ""
        if self._ring is not None and entry.moment < self._ring.until:
            self._ring.button = button or self._ring.button
            return
        self._ring = _Ring(
            tag=new_tag(),
            at=_clock(entry),
            until=entry.moment + self._ring_time_s,
            picture=self._reader.picture(),
            due=self._later(HEAD_START_S, self._tell_of_the_ring),
            button=button,
        )

    def _tell_of_the_ring(self) -> None:
        ring = self._ring
        if ring is None or ring.due is None:
            return
        ring.due.cancel()
        ring.due = None
        self._reader.tell(self._rings(ring), ring.named)

    def _step_begins(self, names: set[str]) -> None:
        """Tell the services that a step names; those of the first step are told with the others."""
        ring = self._ring
        if ring is None:
            return
        fresh = names - ring.named
        ring.named |= names
        if ring.due is None and fresh:
            self._reader.tell(self._rings(ring), fresh, only=True)

    def _rings(self, ring: _Ring) -> Message:
        body = self._words.say("notify.ring.body", time=ring.at)
        if ring.button:
            button = plain(ring.button, QUOTED_CHARS)
            body = self._words.say("notify.ring.button", button=button, time=ring.at)
        return Message("ring", self._words.say("notify.ring"), body, ring.tag, ring.until, ring.picture)

    def _another_visitor(self, entry: Entry) -> None:
        """Tell of somebody who presses while the door talks with the house."""
        self._another_at = entry.moment
        title, body = self._words.say("notify.another"), self._words.say("notify.another.body", time=_clock(entry))
        until, picture = entry.moment + self._ring_time_s, self._reader.picture()
        self._reader.tell(Message("ring", title, body, new_tag(), until, picture))

    def _missed(self, entry: Entry, key: str) -> None:
        self._tell("missed", entry, key, time=_clock(entry) if self._ring is None else self._ring.at)
        self._ring = None

    def _left_a_message(self, entry: Entry, seconds: int) -> None:
        """Tell of a message beside what was told of its press, which may be older than another one by now."""
        body = self._words.say("notify.message.body", seconds=str(seconds), time=_clock(entry))
        title = self._words.say("notify.message")
        self._reader.tell(Message("message", title, body, new_tag(), entry.moment + NEWS_S))

    def _tell(self, event: str, entry: Entry, key: str, **names: str) -> None:
        """Tell what became of the press, in the place of what was told of it; without one, tell it by itself."""
        ring = self._ring
        if ring is not None and ring.due is not None:
            ring.due.cancel()
            ring.due = None
        tag = new_tag() if ring is None else ring.tag
        self._reader.forget(tag)
        body = self._words.say(key, **{"time": _clock(entry), **names})
        message = Message(event, self._words.say(f"notify.{event}"), body, tag, entry.moment + NEWS_S)
        self._reader.tell(message, ring.named if ring else ())

    # -- alarms and faults ---------------------------------------------------------------------------

    def _alarm(self, entry: Entry, kind: str) -> None:
        """Tell of an alarm at once, with the picture of whoever is there."""
        tag = self._broken[kind] = new_tag()
        title = self._words.say(f"notify.alarm.{kind}")
        body = self._words.say(f"notify.alarm.{kind}.body", time=_clock(entry))
        until, picture = entry.moment + NEWS_S, self._reader.picture()
        self._reader.tell(Message("alarm", title, body, tag, until, picture, warns=True))

    def _alarm_over(self, entry: Entry, kind: str) -> None:
        tag = self._broken.pop(kind, None) or new_tag()
        self._reader.forget(tag)
        what = self._words.say(f"notify.alarm.{kind}")
        body = self._words.say("notify.alarm.over.body", time=_clock(entry))
        title = self._words.say("notify.alarm.over", what=what)
        self._reader.tell(Message("alarm", title, body, tag, entry.moment + NEWS_S))

    def _fault_began(self, entry: Entry, kind: str, why: str) -> None:
        if kind in ALARMS:
            self._alarm(entry, kind)
        else:
            self._settling[kind] = self._later(FAULT_SETTLES_S, lambda: self._broke(entry, kind, why))

    def _broke(self, entry: Entry, kind: str, why: str) -> None:
        del self._settling[kind]
        tag = self._broken[kind] = new_tag()
        names = {"part": self._words.say(f"part.{kind}"), "time": _clock(entry), "why": plain(why, QUOTED_CHARS)}
        title = self._words.say("notify.fault", **names)
        body = self._words.say("notify.fault.why" if why else "notify.fault.body", **names)
        self._reader.tell(Message("fault", title, body, tag, entry.moment + NEWS_S, warns=True))

    def _mended(self, entry: Entry, kind: str) -> None:
        if kind in ALARMS:
            self._alarm_over(entry, kind)
            return
        timer, tag = self._settling.pop(kind, None), self._broken.pop(kind, None)
        if timer is not None:
            timer.cancel()
        if tag is not None:
            names = {"part": self._words.say(f"part.{kind}"), "time": _clock(entry)}
            title, body = self._words.say("notify.mended", **names), self._words.say("notify.mended.body", **names)
            self._reader.tell(Message("fault", title, body, tag, entry.moment + NEWS_S))

    def _who(self, call: CallIdentity) -> str:
        return plain(call.name or call.address or self._words.say("somebody"), QUOTED_CHARS)


def new_tag() -> str:
    """Return a mark for what happened, which nobody can guess."""
    return secrets.token_hex(8)


def _clock(entry: Entry) -> str:
    """Return the time of a fact as people of this house tell it."""
    return entry.at.astimezone().strftime("%H:%M")
