"""Tells pages and doors how quiet the house is, and takes what people want of it. Sans-I/O.

Beyond the protocol page: a page that takes silent rings, and a door, is sent the event `intercom.quiet` when it
registers and whenever what it says changes. It holds `house` and, for a page, its own `device`, each as
`{quiet, until, begins, ends, notify}`; for a door, the names of the `devices` that are quiet by their own wish.

Either asks for a change with `intercom.quiet {of: "house" | "device", quiet, for_s, until}`, a page also with
`{of: "device", begins, ends, notify}` for its daily hours. The answer is what the event says then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from intercom.signalwire.wire.agents import takes_silent_rings
from intercom.signalwire.wire.messages import INVALID_PARAMS, Request
from intercom.space.errors import StoreError
from intercom.space.quiet.house_quiet import HouseQuiet
from intercom.space.quiet.spells import Hour, Quiet
from intercom.space.switch import replies
from intercom.space.switch.calls.sdp import is_reference
from intercom.space.switch.sessions.sessions import Session

logger = logging.getLogger(__name__)

METHOD: Final = "intercom.quiet"
LOOK_S: Final = 10.0
"""Interval at which pages and doors are told of hours that began or ended; a ring looks at the clock itself."""
LONGEST_S: Final = 366 * 24 * 3600.0
"""Limit of the time for which somebody may want it to be quiet; longer is until they take it back."""


class Wish(Struct, frozen=True):
    """The parameters of `intercom.quiet`: what somebody wants of the house, or of their own device."""

    of: Literal["house", "device"] = "device"
    quiet: bool | None = None
    """Be quiet, or ring again; None changes the daily hours alone."""
    for_s: Annotated[float, Meta(gt=0, le=LONGEST_S)] | None = None
    """Seconds for which it is to be quiet."""
    until: Hour = ""
    """Local time until which it is to be quiet."""
    begins: Hour | None = None
    """The daily hours' beginning; None leaves the hours as they are."""
    ends: Hour = ""
    """The daily hours' end."""
    notify: bool = True
    """Whether a ring is shown without a sound."""


class QuietDesk:
    """Speaks with the pages and doors about quiet.

    :param sessions: the sessions there are now.
    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(self, sessions: Callable[[], Iterable[Session]], *, wall: Callable[[], float]) -> None:
        self._sessions = sessions
        self._wall = wall
        self._told: dict[Session, dict[str, Any]] = {}
        self._look_at = 0.0
        self.house: HouseQuiet | None = None
        "The house's quiet; None: nothing is ever quiet."

    def carry_out(self, session: Session, request: Request) -> bool:
        """Carry out a wish and answer it; return whether anything has changed."""
        house = self.house
        if house is None or session.subscriber.kind not in ("resident", "door"):
            session.send(replies.refusal(request.id, INVALID_PARAMS, "You cannot set when it is quiet here."))
            return False
        try:
            wish = msgspec.convert(request.params, Wish)
            changed = _obey(house, session, wish)
        except (msgspec.ValidationError, StoreError) as problem:
            session.send(replies.refusal(request.id, INVALID_PARAMS, f"It stays as it is: {problem}"))
            return False
        session.send(replies.result(request.id, _told_now(house, session)))
        self.tell_changes()
        return changed

    def tell(self, session: Session) -> None:
        """Tell a session that has registered how quiet it is."""
        if self.house is not None and _listens(session):
            self._told[session] = _told_now(self.house, session)
            session.tell_once(METHOD, self._told[session], self._wall())

    def elapsed(self, now: float) -> None:
        """Tell of hours that began or ended, when it is time to look, monotonic seconds."""
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self.tell_changes()

    def tell_changes(self) -> None:
        """Tell every session for which something has changed."""
        if self.house is None:
            return
        before, self._told, telling, wishes = self._told, {}, _Telling(self.house), self.house.of_residents()
        for session in self._sessions():
            if not session.online or not _listens(session):
                continue
            self._told[session] = telling.to(session, wishes.get(session.subscriber.id))
            if before.get(session) != self._told[session]:
                session.tell_once(METHOD, self._told[session], self._wall())


class _Telling:
    """What sessions are told now; what is the same for all pages, or for all doors, is looked up once."""

    def __init__(self, house: HouseQuiet) -> None:
        self._house = house

    @cached_property
    def _of_house(self) -> dict[str, Any]:
        return _described(self._house, self._house.of_house())

    @cached_property
    def _devices(self) -> list[str]:
        return self._house.names_of_quiet_devices()

    @cached_property
    def _without_wish(self) -> dict[str, Any]:
        return _described(self._house, Quiet())

    def to(self, session: Session, own: Quiet | None) -> dict[str, Any]:
        """Return what a session is told whose device has this wish, or none."""
        if session.subscriber.kind == "door":
            return {"house": self._of_house, "devices": self._devices}
        device = self._without_wish if own is None else _described(self._house, own)
        return {"house": self._of_house, "device": device}


def _told_now(house: HouseQuiet, session: Session) -> dict[str, Any]:
    """Return what one session is told."""
    return _Telling(house).to(session, house.of_resident(session.subscriber.id))


def _obey(house: HouseQuiet, session: Session, wish: Wish) -> bool:
    """Carry out a wish; return whether it was one."""
    who, own = session.subscriber, session.subscriber.kind == "resident"
    if wish.of == "house" and wish.quiet is not None:
        house.order_house(quiet=wish.quiet, for_s=wish.for_s, until=wish.until)
    elif wish.of == "device" and own and wish.quiet is not None:
        house.order_resident(who.id, quiet=wish.quiet, for_s=wish.for_s, until=wish.until)
    elif wish.of == "device" and own and wish.begins is not None:
        house.set_resident(who.id, begins=wish.begins, ends=wish.ends, notify=wish.notify)
    else:
        return False
    logger.info("%s sets when %s is quiet.", who.reference, "the house" if wish.of == "house" else "it")
    return True


def _listens(session: Session) -> bool:
    door = session.subscriber.kind == "door" and not is_reference(session.agent)
    return door or takes_silent_rings(session.agent)


def _described(house: HouseQuiet, quiet: Quiet) -> dict[str, Any]:
    spell = house.spell(quiet)
    return {
        "quiet": spell is not None,
        "until": None if spell is None else spell.until,
        "begins": quiet.begins,
        "ends": quiet.ends,
        "notify": quiet.notify,
    }
