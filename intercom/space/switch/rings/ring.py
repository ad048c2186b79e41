"""Keeps the state of each ring of the house: who rings, since when, and how it ended. Pure: the time is a parameter.

A ring is what one press at a door causes, however many calls the door makes for it: a call that finds nobody, or that
a restart cut off, is followed by another for the same ring. Each ring ends, and it ends once: the first of answered,
refused, opened and given up stands. Only one that was missed or lost may ring again, when its door comes back for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from intercom.space.switch.calls.calls import RING_S, Party

How = Literal["answered", "refused", "opened", "given_up", "missed", "lost"]
"""How a ring ended: somebody answered it, refused it or opened the door; the visitor gave it up; nobody answered in
time; or the door was lost."""

REDIAL_LIMIT_S: Final = 5.0
"""Time after which a ring whose call found nobody is missed: a door redials within 2 s, and then opens its media."""
REMEMBERED_S: Final = 900.0
"""Time for which a ring that is over is remembered: a late redial must not ring again. A press lasts 10 min at most."""
PRESSES_S: Final = 3.0
"""Time within which the presses of a visitor who comes during a call are one."""
NEWS_S: Final = 60.0
"""Time for which a page that connects is told of a ring that is over: it may have missed the end."""
REPLIES_LIMIT: Final = 8
"""Limit of replies that are remembered of a ring; the oldest are forgotten first."""
RINGS_LIMIT: Final = 64
"""Limit of rings remembered; the oldest that are over are forgotten first."""


class Ending(Struct, frozen=True):
    """The end of a ring."""

    how: How
    """How it ended."""
    by: str = ""
    """Display name of the person or device that ended it; empty for the visitor and for nobody."""
    at: float = 0.0
    """Time of the end, seconds since 1970."""


class Reply(Struct, frozen=True):
    """A sentence that the house had a door say to its visitor."""

    text: str
    """The sentence."""
    by: str = ""
    """Display name of whoever had it said; empty for the door itself."""


class Ring(Struct, frozen=True):
    """A ring as it stands; a change makes another one of the same id."""

    id: str
    """The id of the press."""
    door: Party
    """The door that rings."""
    rung: frozenset[str]
    """Ids of the subscribers for whom the door rings, or rang at an earlier step, and who are told how it ends."""
    began_at: float
    """Time of the beginning, seconds since 1970."""
    for_s: float = RING_S
    """Time for which the door rings them, seconds; as it said when it rang others than before."""
    ending: Ending | None = None
    """The end; None while it rings."""
    talking: bool = False
    """Whether the call of the one who answered goes on."""
    opened_by: str = ""
    """Display name of whoever opened the door during the ring or its call; empty if nobody did."""
    pressed_at: float | None = None
    """Time at which another visitor pressed last during its call, seconds since 1970."""
    silent: frozenset[str] = frozenset()
    """Ids of those of them who are shown the ring without a sound."""
    spared: frozenset[str] = frozenset()
    """Ids of those of them who are left alone while it rings."""
    button: str = ""
    """Name of the door's button; empty for a door that has one, and for a command."""
    passed: frozenset[str] = frozenset()
    """Ids of those of them at whose step of the door's plan it rings no more, while it goes on."""
    declined_at: frozenset[str] = frozenset()
    """Ids of the subscribers who declined for their own device alone."""
    replies: tuple[Reply, ...] = ()
    """What the house had the door say to the visitor, the latest last."""

    @property
    def place(self) -> str:
        """Return where it rings, for people: the name of the door, after that of its button where it has several."""
        return f"{self.button} · {self.door.name}" if self.button else self.door.name

    @property
    def rings(self) -> bool:
        """Whether it has not ended yet."""
        return self.ending is None

    @property
    def is_taken(self) -> bool:
        """Whether it ended so that nothing may ring for it again."""
        return self.ending is not None and self.ending.how not in ("missed", "lost")


Listener = Callable[[Ring], object]
"""Function that is told each change of a ring: its beginning, its end, its call's end, an opening of the door."""


class Rings:
    """All rings of the house. Push, notifications and the pages subscribe to their changes.

    :param wall: the time of day, seconds since 1970.
    """

    def __init__(self, *, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._rings: dict[str, Ring] = {}
        self._waiting: dict[str, float | None] = {}
        "Rings without a call, and the time at which each is missed, monotonic seconds; the next `elapsed` sets it."
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Tell `listener` each change from now on, in the order of their subscription."""
        self._listeners.append(listener)

    def get(self, ring_id: str) -> Ring | None:
        """Return a ring by its id."""
        return self._rings.get(ring_id)

    def news(self, subscriber_id: str) -> list[Ring]:
        """Return the rings that a page of this subscriber has to know as it connects, the oldest first."""
        since = self._wall() - NEWS_S
        mine = [ring for ring in self._rings.values() if subscriber_id in ring.rung]
        return [ring for ring in mine if ring.ending is None or ring.talking or ring.ending.at >= since]

    # -- what happens ----------------------------------------------------------------------------------------

    def called(
        self,
        ring_id: str,
        door: Party,
        rung: frozenset[str],
        *,
        for_s: float = RING_S,
        silent: frozenset[str] = frozenset(),
        spared: frozenset[str] = frozenset(),
        button: str = "",
    ) -> bool:
        """Note that a door calls for a ring; return False if the ring is taken, so that nothing may ring for it."""
        before = self._rings.get(ring_id)
        if before is not None and before.is_taken:
            return False
        self._waiting.pop(ring_id, None)
        if before is None:
            self._make_room()
            begun = Ring(ring_id, door, rung, self._wall(), for_s, silent=silent, spared=spared, button=button)
            self._change(begun)
            return True
        silent, spared = (before.silent - rung) | silent, (before.spared - rung) | spared
        passed = before.rung - rung
        is_known = rung <= before.rung and (before.silent, before.spared, before.passed) == (silent, spared, passed)
        if before.ending is not None or not is_known:
            now = {"ending": None, "rung": before.rung | rung, "silent": silent, "spared": spared, "passed": passed}
            self._change(msgspec.structs.replace(before, **now, for_s=for_s))
        return True

    def restored(self, ring: Ring) -> None:
        """Take up the ring of a call that goes on from before a restart; nobody is told."""
        self._rings[ring.id] = ring

    def answered(self, ring_id: str, by: str) -> None:
        """Note who answered."""
        self._end(ring_id, "answered", by, talking=True)

    def refused(self, ring_id: str, by: str) -> None:
        """Note who refused, for the whole house."""
        self._end(ring_id, "refused", by)

    def declined(self, ring_id: str, subscriber_id: str) -> None:
        """Note who declined for their own device; the ring goes on for the others."""
        ring = self._rings.get(ring_id)
        if ring is not None:
            self._rings[ring_id] = msgspec.structs.replace(ring, declined_at=ring.declined_at | {subscriber_id})

    def given_up(self, ring_id: str) -> None:
        """Note that the visitor gave up."""
        self._end(ring_id, "given_up")

    def missed(self, ring_id: str) -> None:
        """Note that nobody answered in time."""
        self._end(ring_id, "missed")

    def lost(self, ring_id: str) -> None:
        """Note that the door is gone."""
        self._end(ring_id, "lost")

    def opened(self, ring_id: str, by: str) -> None:
        """Note that somebody opened the door; one that rings ends by it."""
        ring = self._rings.get(ring_id)
        if ring is None:
            return
        if ring.ending is None:
            self._end(ring_id, "opened", by, opened_by=by)
        elif ring.talking and ring.opened_by != by:
            self._change(msgspec.structs.replace(ring, opened_by=by))

    def pressed(self, ring_id: str) -> None:
        """Note that another visitor presses during the call of the one who answered."""
        ring, now = self._rings.get(ring_id), self._wall()
        if ring is None or not ring.talking:
            return
        if ring.pressed_at is None or abs(now - ring.pressed_at) >= PRESSES_S:
            self._change(msgspec.structs.replace(ring, pressed_at=now))

    def replied(self, ring_id: str, by: str, text: str) -> None:
        """Note what the house had the door say, while it rings or its call goes on."""
        ring = self._rings.get(ring_id)
        if ring is not None and (ring.ending is None or ring.talking):
            replies = (*ring.replies, Reply(text, by))[-REPLIES_LIMIT:]
            self._change(msgspec.structs.replace(ring, replies=replies))

    def waits(self, ring_id: str) -> None:
        """Note that the call found nobody: the door calls again, or the ring is missed."""
        ring = self._rings.get(ring_id)
        if ring is not None and ring.ending is None:
            self._waiting[ring_id] = None

    def passes_on(self, ring_id: str) -> None:
        """Note that a step of the door's plan is over, and that others are rung at the next."""
        ring = self._rings.get(ring_id)
        if ring is not None and ring.ending is None:
            self._waiting[ring_id] = None
            self._change(msgspec.structs.replace(ring, passed=ring.rung))

    def unanswered(self, ring_id: str) -> None:
        """Take an answer back of which the door heard when it had ended its ringing; the ring has not ended then."""
        ring = self._rings.get(ring_id)
        if ring is not None and ring.talking:
            self._rings[ring_id] = msgspec.structs.replace(ring, ending=None, talking=False)

    def talked(self, ring_id: str) -> None:
        """Note that the call of the one who answered is over."""
        ring = self._rings.get(ring_id)
        if ring is not None and ring.talking:
            self._change(msgspec.structs.replace(ring, talking=False))

    def elapsed(self, now: float) -> None:
        """Carry out everything that is due at `now`, monotonic seconds."""
        for ring_id, until in list(self._waiting.items()):
            if until is None:
                self._waiting[ring_id] = now + REDIAL_LIMIT_S
            elif now >= until:
                self._end(ring_id, "missed")
        self._forget(self._wall() - REMEMBERED_S)

    # -- changes ---------------------------------------------------------------------------------------------

    def _end(self, ring_id: str, how: How, by: str = "", *, talking: bool = False, opened_by: str = "") -> None:
        ring = self._rings.get(ring_id)
        self._waiting.pop(ring_id, None)
        if ring is not None and ring.ending is None:
            ending = Ending(how, by, self._wall())
            self._change(msgspec.structs.replace(ring, ending=ending, talking=talking, opened_by=opened_by))

    def _change(self, ring: Ring) -> None:
        self._rings[ring.id] = ring
        for listener in self._listeners:
            listener(ring)

    def _forget(self, before: float) -> None:
        for ring in list(self._rings.values()):
            if ring.ending is not None and not ring.talking and ring.ending.at < before:
                del self._rings[ring.id]

    def _make_room(self) -> None:
        over = [ring.id for ring in self._rings.values() if ring.ending is not None and not ring.talking]
        for ring_id in over[: max(0, len(self._rings) + 1 - RINGS_LIMIT)]:
            del self._rings[ring_id]
