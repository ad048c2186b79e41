"""Tells the house's pages of a door's alarms: forced, held open, its box opened, codes guessed. Sans-I/O.

Beyond the protocol page: a door says with `intercom.alarms {alarms}` which of its alarms last, when that changes and
each time it registers. Every resident's page whose agent has the word `rings/1` is sent the event `intercom.alarms
{doors: [{name, address, alarms}]}` then, and when it registers while there are some: all doors that have some.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, Literal

import msgspec

from intercom.signalwire.wire.agents import hears_rings
from intercom.signalwire.wire.messages import INVALID_PARAMS, Request
from intercom.space.switch import replies
from intercom.space.switch.calls.calls import Party
from intercom.space.switch.sessions.sessions import Session

logger = logging.getLogger(__name__)

METHOD: Final = "intercom.alarms"
Alarm = Literal["tamper", "door_forced", "door_held_open", "wrong_codes"]


class Lasting(msgspec.Struct, frozen=True):
    """The parameters of `intercom.alarms`: which alarms of a door last."""

    alarms: Annotated[list[Alarm], msgspec.Meta(max_length=4)]


class AlarmDesk:
    """Keeps which alarms of each door last, in memory: a door says them again after a restart of the space.

    :param sessions: the sessions there are now.
    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(self, sessions: Callable[[], Iterable[Session]], *, wall: Callable[[], float]) -> None:
        self._sessions = sessions
        self._wall = wall
        self._doors: dict[str, dict[str, Any]] = {}
        "what pages are told of each door with alarms, by the door's id"
        self._showing: set[Session] = set()
        "the sessions that were told of some last"

    def carry_out(self, session: Session, request: Request) -> None:
        """Take what a door says, answer it, and tell the pages."""
        door = session.subscriber
        try:
            lasting = msgspec.convert(request.params, Lasting)
        except msgspec.ValidationError as problem:
            session.send(replies.refusal(request.id, INVALID_PARAMS, f"These are no alarms: {problem}"))
            return
        if door.kind != "door":
            session.send(replies.refusal(request.id, INVALID_PARAMS, "Only a door has alarms."))
            return
        session.send(replies.result(request.id, {}))
        before, its, alarms = self._doors.pop(door.id, None), Party.of(door), sorted(set(lasting.alarms))
        if alarms:
            self._doors[door.id] = {"name": its.name, "address": its.number, "alarms": alarms}
        if self._doors.get(door.id) != before:
            logger.warning("%s has alarms: %s.", door.reference, ", ".join(alarms) or "none any more")
            self._tell_all()

    def doors(self) -> set[str]:
        """Return the ids of the doors with alarms, also of those that are away."""
        return set(self._doors)

    def gone(self, session: Session) -> None:
        """Forget a session that is gone for good."""
        self._showing.discard(session)

    def forget(self, door_id: str) -> None:
        """Drop the alarms of a door that was removed, and tell the pages; one that is only away keeps them."""
        if self._doors.pop(door_id, None) is not None:
            self._tell_all()

    def tell(self, session: Session) -> None:
        """Tell a page of all alarms that last, or that there are none any more: it registered, or one has changed."""
        its_a_page = session.online and session.subscriber.kind == "resident" and hears_rings(session.agent)
        if not its_a_page or not (self._doors or session in self._showing):
            return
        session.tell_once(METHOD, {"doors": list(self._doors.values())}, self._wall())
        if self._doors:
            self._showing.add(session)
        elif session.link is not None:
            self._showing.discard(session)

    def _tell_all(self) -> None:
        for page in self._sessions():
            self.tell(page)
