"""Joins the calls of the doors to the rings of the house, and tells every page how each ring stands.

Beyond the protocol page: a page whose agent has the word `rings/1` is sent the event `intercom.ring` whenever a ring of
the house changes, before the messages about its call, and `intercom.rings`, which lists those it has to know, when it
registers. Its invites name the `ring`. No other client is sent anything of this.

A page whose agent has the word `silent/1` is invited with `silent: true` where its device, or the house, is quiet but
wants to see who rings. Any other client would sound its bell, and is not rung then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from intercom.plain_text import plain
from intercom.signalwire.wire.agents import hears_rings, takes_silent_rings
from intercom.space.quiet.house_quiet import Manner
from intercom.space.store.records import Subscriber
from intercom.space.switch.calls.calls import RING_LIMIT_S, RING_S, Call, Leg, Party
from intercom.space.switch.rings.ring import PRESSES_S, Reply, Ring, Rings
from intercom.space.switch.rings.step import Step
from intercom.space.switch.rings.unheard import UnheardPresses
from intercom.space.switch.sessions.sessions import Session

NAME_CHARS: Final = 64
"""Length limit of the name of somebody who opened the door, or had it say something."""
ADDRESSES_LIMIT: Final = 16
"""Limit of addresses whose devices are told of a visitor who presses during a call."""
SENTENCE_CHARS: Final = 200
"""Length limit of what a door says for the house."""
_AWAY: Final = ("USER_NOT_REGISTERED", "RECOVERY_ON_TIMER_EXPIRE", "NORMAL_TEMPORARY_FAILURE")
"""Causes for which a door calls again: nobody chose to end the ringing."""
_DECLINED: Final = {"CALL_REJECTED", "USER_BUSY"}
"""Causes with which a person's device stops ringing."""


class Bell:
    """The house's bell, which all its devices share.

    :param sessions: the sessions there are now.
    :param ringing_at: returns the ids of the subscribers at an address.
    :param wall: the time of day, seconds since 1970.
    """

    def __init__(
        self,
        sessions: Callable[[], Iterable[Session]],
        *,
        ringing_at: Callable[[str], Iterable[str] | None],
        wall: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._ringing_at = ringing_at
        self._wall = wall
        self._present: dict[str, Call] = {}
        "The newest call of each ring that has one."
        self._passed: dict[str, Call] = {}
        "The last call of each ring that goes on at the next step of its plan."
        self._late: dict[str, dict[str, str]] = {}
        "Of each such ring, who answered as that call ended, and the address at which it rang them."
        self.rings = Rings(wall=wall)
        self.rings.subscribe(self._tell)
        self.unheard = UnheardPresses(wall=wall)
        self.manner: Callable[[str, str, str], Manner] = lambda _subscriber_id, _caller, _button: Manner.ALOUD
        "Returns how a subscriber's devices ring for the address of a caller, and the button of a door."

    # -- what call control tells -------------------------------------------------------------------------------

    def may_ring(self, call: Call, step: Step) -> bool:
        """Note a new call for a step of a door's plan; return False if somebody took its ring already."""
        caller = call.caller.session.subscriber
        if caller.kind != "door":
            return True
        call.ring = f"{caller.reference}/{step.ring or call.caller.call_id}"
        call.rings_for_s = _seconds(step.for_s)
        call.one_device, call.goes_on = step.one_device, step.goes_on
        before = self.rings.get(call.ring)
        if before is not None and not before.declined_at.isdisjoint(call.rings_for):
            call.rings_for -= before.declined_at
            call.unanswered.append("CALL_REJECTED")
        for who, address in self._late.pop(call.ring, {}).items():
            _ring_too(call, who, address)
        manners = {who: self._manner(call, who) for who in call.rings_for}
        silent, spared = _by_manner(manners)
        rung, for_s, button = call.rings_for, call.rings_for_s, _button(call)
        rings = self.rings.called(
            call.ring, call.caller_party, rung, for_s=for_s, silent=silent, spared=spared, button=button
        )
        if not rings:
            return False
        self._present[call.ring] = call
        return True

    def rings_at(self, call: Call, session: Session) -> bool:
        """Return whether a call rings at a session, as quiet as it may be there."""
        manner = self._manner(call, session.subscriber.id)
        return manner is Manner.ALOUD or (manner is Manner.SILENTLY and takes_silent_rings(session.agent))

    def is_spared(self, call: Call) -> bool:
        """Return whether everybody whom a call rings wants to be left alone."""
        return bool(call.rings_for) and all(self._manner(call, who) is Manner.NOT_AT_ALL for who in call.rings_for)

    def _manner(self, call: Call, subscriber_id: str) -> Manner:
        return self.manner(subscriber_id, call.caller_party.number, _button(call))

    def earlier(self, call: Call, calls: Iterable[Call]) -> list[Call]:
        """Return the calls for the same ring that still ring: those of a door that has started again since."""
        return [one for one in calls if call.ring and one.ring == call.ring and one is not call and not one.answered]

    def answered(self, call: Call, by: Subscriber) -> None:
        """Note who answers."""
        self.rings.answered(call.ring, by.display_name)

    def answers_late(self, session: Session, call_id: str) -> bool:
        """Take an answer to a call that its door has just ended to ring others; return whether they are rung now.

        Whoever answers in that instant is rung together with the others, and their page answers by itself.
        """
        for ring_id, call in self._passed.items():
            ring, who = self.rings.get(ring_id), session.subscriber.id
            mine = any(leg.session is session and leg.call_id == call_id for leg in call.ringing)
            if not mine or ring is None or ring.ending is not None:
                continue
            present = self._present.get(ring_id)
            if present is None:
                self._late.setdefault(ring_id, {})[who] = _reached_at(call, who)
            elif present.answered is None:
                _ring_too(present, who, _reached_at(call, who))
            return present is not None
        return False

    def answered_too_late(self, leg: Leg, cause: str) -> None:
        """Take the end of an answered call by a door that heard of no answer: it had ended its ringing before."""
        call = leg.call
        if cause != "NO_ANSWER" or leg is not call.caller or call.answered is None:
            return
        self.rings.unanswered(call.ring)
        if call.goes_on:
            self._pass_on(call)
            who = call.answered.session.subscriber.id
            self._late[call.ring] = {who: _reached_at(call, who)}
        else:
            self.rings.missed(call.ring)

    def refused(self, call: Call, by: Subscriber) -> bool:
        """Note who refuses; return False if the call is no ring of the house."""
        self.rings.refused(call.ring, by.display_name)
        return bool(call.ring)

    def declined(self, call: Call, by: Subscriber) -> None:
        """Note who declines for their own device: this ring rings it no more."""
        call.rings_for -= {by.id}
        self.rings.declined(call.ring, by.id)

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

    def pressed(self, leg: Leg, told: object) -> None:
        """Take what a door says of its buttons during a call: another visitor is there.

        One who presses the button of others than the call's is missed by them.
        """
        door = leg.session.subscriber
        if door.kind != "door" or not isinstance(told, dict) or told.get("visitor") != "pressed":
            return
        if isinstance(whom := told.get("for"), list):
            ids = (self._ringing_at(name) or () for name in whom[:ADDRESSES_LIMIT] if isinstance(name, str))
            button = _name(told.get("button"), NAME_CHARS)
            self._missed(f"{door.reference}/{leg.call_id}-{button}", door, button, frozenset().union(*ids))
        else:
            self.rings.pressed(leg.call.ring)

    def _missed(self, ring_id: str, door: Subscriber, button: str, whom: frozenset[str]) -> None:
        """Note a visitor whom nobody could answer, as their door was in a call."""
        before = self.rings.get(ring_id)
        if not whom or (before and before.ending and abs(self._wall() - before.ending.at) < PRESSES_S):
            return
        manners = {who: self.manner(who, Party.of(door).number, button) for who in whom}
        silent, spared = _by_manner(manners)
        self.rings.called(ring_id, Party.of(door), whom, for_s=PRESSES_S, silent=silent, spared=spared, button=button)
        self.rings.missed(ring_id)

    def replied(self, leg: Leg, text: object, by: object) -> None:
        """Note what a door says for the house."""
        if leg.call.ring and leg is leg.call.caller:
            self.rings.replied(leg.call.ring, _name(by, NAME_CHARS), _name(text, SENTENCE_CHARS))

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
        elif call.goes_on:
            self._pass_on(call)
        elif not _DECLINED.isdisjoint(call.unanswered):
            self.rings.refused(call.ring, "")
        else:
            self.rings.missed(call.ring)

    def _pass_on(self, call: Call) -> None:
        """Note that a step is over; the ring goes on at the next."""
        for ring_id in (*self._passed, *self._late):
            ring = self.rings.get(ring_id)
            if ring is None or ring.ending is not None:
                self._passed.pop(ring_id, None)
                self._late.pop(ring_id, None)
        self._passed[call.ring] = call
        self.rings.passes_on(call.ring)

    # -- what the pages hear ---------------------------------------------------------------------------------

    def named(self, call: Call, session: Session) -> dict[str, Any]:
        """Return the part of an invite that names its ring and its manner, for a client that knows what this is."""
        named: dict[str, Any] = {"ring": call.ring} if call.ring and hears_rings(session.agent) else {}
        silent = self._manner(call, session.subscriber.id) is Manner.SILENTLY
        return {**named, "silent": True} if silent else named

    def tell_news(self, session: Session) -> None:
        """Tell a session that has registered how the rings of the house stand."""
        if hears_rings(session.agent):
            rings = [described(ring, session.subscriber.id) for ring in self.rings.news(session.subscriber.id)]
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

    def tell_residents(self, event_type: str, params: dict[str, Any]) -> None:
        """Tell the open pages of residents an event that is worth nothing later."""
        for session in self._sessions():
            if session.subscriber.kind == "resident" and hears_rings(session.agent):
                session.tell_once(event_type, params, self._wall())

    def _tell(self, ring: Ring) -> None:
        for session in self._sessions():
            if session.subscriber.id in ring.rung and hears_rings(session.agent):
                session.send_about("intercom.ring", described(ring, session.subscriber.id), self._wall())


def _by_manner(manners: Mapping[str, Manner]) -> tuple[frozenset[str], frozenset[str]]:
    """Return who is shown a ring without a sound, and who is left alone."""
    silent = frozenset(who for who, manner in manners.items() if manner is Manner.SILENTLY)
    return silent, frozenset(who for who, manner in manners.items() if manner is Manner.NOT_AT_ALL)


def _button(call: Call) -> str:
    """Return the name of the button at which a door says that somebody rings."""
    about = call.user_variables.get("intercom")
    said = about.get("button") if isinstance(about, dict) and call.caller_party.kind == "door" else ""
    return _name(said, NAME_CHARS)


def _reached_at(call: Call, subscriber_id: str) -> str:
    """Return the address at which a call reaches a subscriber."""
    return next(address for address, ids in call.members.items() if subscriber_id in ids)


def _ring_too(call: Call, subscriber_id: str, address: str) -> None:
    """Let a call ring one more subscriber, at this address."""
    call.rings_for |= {subscriber_id}
    call.members = {**call.members, address: call.members.get(address, frozenset()) | {subscriber_id}}


def described(ring: Ring, subscriber_id: str) -> dict[str, Any]:
    """Return a ring as the events describe it to a subscriber."""
    ending, reply = ring.ending, ring.replies[-1] if ring.replies else Reply("")
    return {
        "ring": ring.id,
        "door": {"name": ring.door.name, "address": ring.door.number},
        "button": ring.button,
        "began_at": ring.began_at,
        "state": "ringing" if ending is None else ending.how,
        "elsewhere": ending is None and subscriber_id in ring.passed,
        "by": "" if ending is None else ending.by,
        "ended_at": None if ending is None else ending.at,
        "talking": ring.talking,
        "opened_by": ring.opened_by,
        "pressed_at": ring.pressed_at,
        "reply": reply.text,
        "replied_by": reply.by,
    }


def _name(value: object, limit: int) -> str:
    return plain(value, limit) if isinstance(value, str) else ""


def _seconds(value: object) -> float:
    """Return for how long a door says that it rings, or the usual time where it says nothing that can be."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return RING_S
    return float(value) if 1 <= value <= RING_LIMIT_S else RING_S
