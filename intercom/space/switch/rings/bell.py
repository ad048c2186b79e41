"""Joins the calls of the doors to the rings of the house, and tells every page how each ring stands.

Beyond the protocol page: a page whose agent has the word `rings/1` is sent the event `intercom.ring` whenever a ring of
the house changes, before the messages about its call, and `intercom.rings`, which lists those it has to know, when it
registers. Its invites name the `ring`. No other client is sent anything of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from intercom.plain_text import plain
from intercom.signalwire.wire.agents import hears_rings
from intercom.space.store.records import Subscriber
from intercom.space.switch.calls.calls import RING_LIMIT_S, RING_S, Call, Leg, Party
from intercom.space.switch.rings.ring import Ring, Rings
from intercom.space.switch.sessions.sessions import Session

RING_ID_CHARS: Final = 64
"""Length limit of a door's name for a ring; a UUID has 36 characters."""
NAME_CHARS: Final = 64
"""Length limit of the name of somebody who opened the door."""
_AWAY: Final = ("USER_NOT_REGISTERED", "RECOVERY_ON_TIMER_EXPIRE", "NORMAL_TEMPORARY_FAILURE")
"""Causes for which a door calls again: nobody chose to end the ringing."""
_DECLINED: Final = {"CALL_REJECTED", "USER_BUSY"}
"""Causes with which a person's device stops ringing."""


class Bell:
    """The house's bell, which all its devices share.

    :param sessions: the sessions there are now.
    :param wall: the time of day, seconds since 1970.
    """

    def __init__(self, sessions: Callable[[], Iterable[Session]], *, wall: Callable[[], float]) -> None:
        self._sessions = sessions
        self._wall = wall
        self._present: dict[str, Call] = {}
        "The newest call of each ring that has one."
        self.rings = Rings(wall=wall)
        self.rings.subscribe(self._tell)

    # -- what call control tells -------------------------------------------------------------------------------

    def may_ring(self, call: Call) -> bool:
        """Note a new call; return False if it is for a ring that somebody took already."""
        caller = call.caller.session.subscriber
        if caller.kind != "door":
            return True
        told = call.user_variables.get("intercom")
        about = told if isinstance(told, dict) else {}
        call.ring = f"{caller.reference}/{_name(about.get('ring'), RING_ID_CHARS) or call.caller.call_id}"
        call.rings_for_s = _seconds(about.get("for_s"))
        if not self.rings.called(call.ring, call.caller_party, call.rings_for, for_s=call.rings_for_s):
            return False
        self._present[call.ring] = call
        return True

    def earlier(self, call: Call, calls: Iterable[Call]) -> list[Call]:
        """Return the calls for the same ring that still ring: those of a door that has started again since."""
        return [one for one in calls if call.ring and one.ring == call.ring and one is not call and not one.answered]

    def answered(self, call: Call, by: Subscriber) -> None:
        """Note who answers."""
        self.rings.answered(call.ring, by.display_name)

    def refused(self, call: Call, by: Subscriber) -> bool:
        """Note who refuses; return False if the call is no ring of the house."""
        self.rings.refused(call.ring, by.display_name)
        return bool(call.ring)

    def opened(self, leg: Leg, told: object) -> bool:
        """Take what an end says of the door's lock; return whether a door says that it was opened."""
        call = leg.call
        if not call.ring or leg is not call.caller or not isinstance(told, dict) or told.get("door") != "open":
            return False
        far = None if call.answered is None else call.answered.session.subscriber
        by = _name(told.get("by"), NAME_CHARS)
        if far is not None and by in {"", Party.of(far).number}:
            by = far.display_name
        self.rings.opened(call.ring, by)
        return True

    def caller_gone(self, call: Call) -> None:
        """Note that one end of a call, which is no ringing one, is gone for good."""
        if call.answered is None and self._present.get(call.ring) is call:
            self.rings.lost(call.ring)

    def over(self, call: Call, cause: str) -> None:
        """Note that a call is over."""
        if self._present.get(call.ring) is call:
            del self._present[call.ring]
        elif call.answered is None:
            return  # the door has called again for the ring, or may not
        if call.answered is not None:
            self.rings.talked(call.ring)
        elif cause == "ORIGINATOR_CANCEL":
            self.rings.given_up(call.ring)
        elif cause == "PICKED_OFF":
            self.rings.opened(call.ring, "")
        elif cause in _AWAY:
            self.rings.waits(call.ring)
        elif not _DECLINED.isdisjoint(call.unanswered):
            self.rings.refused(call.ring, "")
        else:
            self.rings.missed(call.ring)

    # -- what the pages hear ---------------------------------------------------------------------------------

    def named(self, call: Call, session: Session) -> dict[str, str]:
        """Return the part of an invite that names its ring, for a client that knows what this is."""
        return {"ring": call.ring} if call.ring and hears_rings(session.agent) else {}

    def tell_news(self, session: Session) -> None:
        """Tell a session that has registered how the rings of the house stand."""
        if hears_rings(session.agent):
            rings = [described(ring) for ring in self.rings.news(session.subscriber.id)]
            session.send_about("intercom.rings", {"rings": rings}, self._wall())

    def renamed(self, subscriber: Subscriber) -> None:
        """Say a member's new name from now on, whatever it does."""
        for session in self._sessions():
            if session.subscriber.id == subscriber.id:
                session.grant = replace(session.grant, subscriber=subscriber)

    def try_out(self, subscriber_id: str) -> bool:
        """Let the open pages of a subscriber ring as a test; return whether there was one."""
        pages = [one for one in self._sessions() if one.subscriber.id == subscriber_id and hears_rings(one.agent)]
        there = [page for page in pages if page.is_there]
        for page in there:
            page.tell_once("intercom.test", {}, self._wall())
        return bool(there)

    def _tell(self, ring: Ring) -> None:
        for session in self._sessions():
            if session.subscriber.id in ring.rung and hears_rings(session.agent):
                session.send_about("intercom.ring", described(ring), self._wall())


def described(ring: Ring) -> dict[str, Any]:
    """Return a ring as the events describe it."""
    ending = ring.ending
    return {
        "ring": ring.id,
        "door": {"name": ring.door.name, "address": ring.door.number},
        "began_at": ring.began_at,
        "state": "ringing" if ending is None else ending.how,
        "by": "" if ending is None else ending.by,
        "ended_at": None if ending is None else ending.at,
        "talking": ring.talking,
        "opened_by": ring.opened_by,
    }


def _name(value: object, limit: int) -> str:
    return plain(value, limit) if isinstance(value, str) else ""


def _seconds(value: object) -> float:
    """Return for how long a door says that it rings, or the usual time where it says nothing that can be."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return RING_S
    return float(value) if 1 <= value <= RING_LIMIT_S else RING_S
