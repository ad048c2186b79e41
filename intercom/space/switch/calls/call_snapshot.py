"""Keeps the answered calls in a file, so that the space restores them after a restart.

Their sound and picture go from end to end and do not miss the space; but only with it can the resident open the door,
or either end hear that the other has hung up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field

from intercom import atomic_file
from intercom.space.store.records import Subscriber
from intercom.space.switch.calls.calls import Call, Leg, Party
from intercom.space.switch.exchange import Exchange
from intercom.space.switch.members.state import Membership, Room
from intercom.space.switch.rings.ring import Ring
from intercom.space.switch.sessions.sessions import Session

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5
"""Interval of the look for changes to keep: it takes a few microseconds and writes nothing. The answer and the end of a
ring are kept at once: a space that ends in the same second loses no call with a door."""
OLDEST_S: Final = 25 * 3600.0
"""Age limit of a kept call: a door lets calls last for a day at most, so an older one is over."""


class KeptEnd(Struct, frozen=True):
    """One end of a call."""

    protocol: str
    """The session's channel, by which its client resumes it."""
    subscriber_id: str
    agent: str
    call_id: str
    member_id: str
    held: bool = False
    membership: Membership = Membership()


class KeptCall(Struct, frozen=True):
    """A call between two clients."""

    caller: KeptEnd
    answered: KeptEnd
    called: Party
    caller_party: Party
    kept_at: float
    """Time of saving, seconds since 1970."""
    room: Room = field(default_factory=Room)
    ring: Ring | None = None
    """The ring that the call answered."""


class KeptCalls:
    """The file of kept calls beside the database.

    :param wall: the time of day, seconds since 1970.
    """

    def __init__(self, path: Path, exchange: Exchange, *, wall: Callable[[], float]) -> None:
        self._path = path
        self._exchange = exchange
        self._wall = wall
        self._kept: dict[Call, KeptCall] = {}
        self._looks = self._written = 0
        self._one_at_a_time = threading.Lock()
        self._news = asyncio.Event()
        exchange.control.bell.rings.subscribe(lambda _ring: self._news.set())

    def restore(self, subscriber: Callable[[str], Subscriber | None], now: float) -> int:
        """Restore the calls that an earlier process kept; return their number. Its ends have a while to come back."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=list[KeptCall])
        except FileNotFoundError:
            return 0
        except (OSError, msgspec.MsgspecError) as problem:
            logger.warning("The calls of before the restart cannot be read: %s.", problem)
            return 0
        restored = 0
        for kept in found:
            owners = subscriber(kept.caller.subscriber_id), subscriber(kept.answered.subscriber_id)
            if None not in owners and abs(self._wall() - kept.kept_at) < OLDEST_S:
                self._kept[self._take_up(kept, owners, now)] = kept
                restored += 1
        return restored

    def _take_up(self, kept: KeptCall, owners: tuple[Subscriber | None, Subscriber | None], now: float) -> Call:
        caller, answered = (
            self._exchange.expect(end.protocol, owner, end.agent, now)
            for end, owner in zip((kept.caller, kept.answered), owners, strict=True)
            if owner is not None
        )
        call = Call(
            called=kept.called,
            caller_party=kept.caller_party,
            rings_for=frozenset(),
            sdp="",
            user_variables={},
            started_at=now,
            next_ping_at=now,
            room=kept.room,
            ring=kept.ring.id if kept.ring is not None else "",
        )
        if kept.ring is not None:
            self._exchange.control.bell.rings.restored(kept.ring)
        self._exchange.control.calls.take_up(
            call,
            _leg(call, caller, kept.caller),
            _leg(call, answered, kept.answered),
        )
        return call

    async def watch(self) -> None:
        """Save the calls whenever they change, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_S)
            self._news.clear()
            if (changed := self._changed()) is not None:
                await asyncio.to_thread(self._write, *changed)

    def save(self) -> None:
        """Write the calls that are not written yet, after a write that is under way."""
        if (changed := self._changed()) is not None:
            self._write(*changed)

    def _changed(self) -> tuple[int, dict[Call, KeptCall]] | None:
        """Return the calls, with a number that grows, unless they are written already."""
        now: dict[Call, KeptCall] = {}
        for call in self._exchange.control.calls:
            answered = call.answered
            if answered is None or answered.session.never_busy:
                continue
            before = self._kept.get(call)
            kept_at = self._wall() if before is None else before.kept_at
            ends = _end(call.caller), _end(answered)
            ring = self._exchange.control.bell.rings.get(call.ring)
            now[call] = KeptCall(*ends, call.called, call.caller_party, kept_at, call.room, ring)
        if now == self._kept:
            return None
        self._looks += 1
        return self._looks, now

    def _write(self, look: int, calls: dict[Call, KeptCall]) -> None:
        """Write the calls of a look, unless a later one is written: a stop does not wait for the watch's thread."""
        with self._one_at_a_time:
            if look <= self._written:
                return
            try:
                atomic_file.replace(self._path, msgspec.json.encode(list(calls.values())))
            except OSError as problem:
                logger.warning("The calls cannot be kept for a restart: %s.", problem)
            self._written, self._kept = look, calls


def _end(leg: Leg) -> KeptEnd:
    session = leg.session
    return KeptEnd(
        session.protocol,
        session.subscriber.id,
        session.agent,
        leg.call_id,
        leg.member_id,
        leg.held,
        leg.membership,
    )


def _leg(call: Call, session: Session, kept: KeptEnd) -> Leg:
    return Leg(call, session, kept.call_id, kept.member_id, kept.held, kept.membership)
