"""Holds the calls between sessions, with the legs that ring and talk; `call_control.py` decides. No I/O, no clock.

A call has one caller's leg and, while it rings, one leg for each session that rings. The first answer
makes its leg the far end and the others are told LOSE_RACE. Each leg has its own callID, so that no client
can name a call that is not its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from intercom.signalwire.wire.agents import rings_beside_a_call
from intercom.signalwire.wire.messages import IncomingInvite, builtins, new_id
from intercom.space.store.records import Kind, Subscriber
from intercom.space.switch.calls.sdp import answer_between, is_reference
from intercom.space.switch.members.state import Membership, Room
from intercom.space.switch.sessions.sessions import Session

RING_S: Final = 60.0
"""Time for which a call rings whose caller does not say for how long: `call.ring_time_s` as it comes."""
RING_LIMIT_S: Final = 660.0
"""Limit of the time for which a door may say that it rings; `call.ring_time_s` has 10 minutes at most."""
RING_GRACE_S: Final = 5.0
"""Time after a call's ringing in which its caller may still give it up; then the space ends it as not answered."""
RINGING_LIMIT: Final = 3
"""Limit of doors' calls that ring at one session, and of residents' calls: a person answers one of them, and all six
invites with the largest offers fit into what may wait for a socket (`waiting.py`)."""
PING_INTERVAL_S: Final = 30.0
"""Interval at which the ends of an answered call are pinged (verto.ping)."""


@dataclass(slots=True, eq=False)
class Leg:
    """One end of a call."""

    call: Call
    session: Session
    call_id: str
    "The callID under which this end knows the call."
    member_id: str = field(default_factory=new_id)
    "The end's id as a participant."
    held: bool = False
    "Whether this end has put the call on hold."
    membership: Membership = field(default_factory=Membership)
    "The end as a member of the call."
    attach_at: float = math.inf
    "Time at which this end is told of its call after its page was loaded again; monotonic seconds."

    def tell(self, method: str, params: dict[str, Any], wall: float) -> str:
        """Send this end a Verto message about the call; return its id."""
        return self.session.send_verto(method, {"callID": self.call_id, **params}, wall)

    def attach(self, wall: float) -> None:
        """Tell this end that its call goes on (verto.attach)."""
        self.attach_at = math.inf
        self.tell("verto.attach", self.call.attach(self), wall)

    def bye(self, cause: tuple[str, int], wall: float) -> None:
        """Tell this end that the call is over for it."""
        self.tell("verto.bye", {"cause": cause[0], "causeCode": cause[1]}, wall)


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a call as the other sees it."""

    number: str
    "The party's address."
    name: str
    "The party's display name."
    kind: Kind | Literal[""] = ""
    "The member's kind; empty for a group, and for an address that nobody has."

    @classmethod
    def of(cls, subscriber: Subscriber) -> Party:
        """A member of the space."""
        return cls(f"/private/{subscriber.reference}", subscriber.display_name, subscriber.kind)


@dataclass(slots=True, eq=False)
class Call:
    """One call, from invite to bye."""

    called: Party
    "The party that was dialled."
    caller_party: Party
    "The party that dialled, as the space knows it."
    rings_for: frozenset[str]
    "Ids of the subscribers whom the call rings; one who comes online meanwhile rings too."
    sdp: str
    "The caller's offer."
    user_variables: dict[str, Any]
    "Variables that the caller sent with the invite."
    started_at: float
    "Time of the invite, monotonic seconds."
    rings_for_s: float = RING_S
    "Time for which it rings, seconds; a push wakes nobody for it afterwards."
    caller: Leg = field(init=False)
    ringing: dict[Leg, None] = field(default_factory=dict)
    "The ends that ring and have not answered yet, in the order in which they began."
    unanswered: list[str] = field(default_factory=list)
    "Causes for which ends stopped ringing."
    answered: Leg | None = None
    "The far end's leg; None until somebody answers."
    room: Room = field(default_factory=Room)
    "The room of the call's members."
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    "Ids of the subscribers at each address that was called."
    one_device: bool = False
    "Whether somebody who declines does so for their device alone, and the others ring on."
    goes_on: bool = False
    "Whether the door goes on to other addresses if nobody answers."
    ring: str = ""
    "Id of the house's ring that the call belongs to (`rings/ring.py`); empty unless a door calls."
    next_ping_at: float = 0.0
    "Time of the next ping to both ends, monotonic seconds."

    def legs(self) -> Iterator[Leg]:
        """All ends that still take part."""
        yield self.caller
        yield from self.ringing
        if self.answered is not None:
            yield self.answered

    def answerer(self, leg: Leg) -> dict[str, str]:
        """Return what the caller is told of the end that answers; of several addresses also the one that reached it."""
        member = leg.session.subscriber
        told = {"callee_kind": str(member.kind), "callee_name": member.display_name}
        if len(self.members) > 1:
            told["callee_number"] = next(address for address, ids in self.members.items() if member.id in ids)
        return told

    def tell_answer(self, leg: Leg, sdp: str, wall: float) -> None:
        """Tell the caller that `leg` answers with this description."""
        to = self.caller.session.agent
        told = {} if is_reference(to) else self.answerer(leg)
        self.caller.tell("verto.answer", {"sdp": answer_between(sdp, by=leg.session.agent, to=to), **told}, wall)

    def others(self, leg: Leg) -> list[Leg]:
        """The ends to which the messages of `leg` are passed."""
        if leg is not self.caller:
            return [self.caller]
        return [self.answered] if self.answered is not None else list(self.ringing)

    def invite(self, sdp: str) -> dict[str, Any]:
        """Return the parameters of the invite for a ringing leg, without its callID."""
        params = builtins(
            IncomingInvite(
                callID="",
                sdp=sdp,
                caller_id_name=self.caller_party.name,
                caller_id_number=self.caller_party.number,
                callee_id_name=self.called.name,
                callee_id_number=self.called.number,
                display_direction="inbound",
                caller_kind=self.caller_party.kind,
                userVariables=self.user_variables,
            )
        )
        del params["callID"]
        return params

    def attach(self, leg: Leg) -> dict[str, Any]:
        """Return the parameters of the verto.attach by which `leg` learns that its call goes on, without its callID."""
        outbound = leg is self.caller
        return {
            "sdp": "",
            "caller_id_name": self.caller_party.name,
            "caller_id_number": self.caller_party.number,
            "callee_id_name": self.called.name,
            "callee_id_number": self.called.number,
            "display_direction": "outbound" if outbound else "inbound",
        }


class Calls:
    """All calls of the space and their ends."""

    def __init__(self) -> None:
        self._calls: dict[Call, None] = {}
        self._legs: dict[Session, dict[str, Leg]] = {}
        "The ends of each session that has some, by their callIDs: a second may look at every session of the space."

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    def leg(self, session: Session, call_id: str) -> Leg | None:
        """Return the end that `session` knows as `call_id`."""
        return self._legs.get(session, {}).get(call_id)

    def legs_of(self, session: Session) -> list[Leg]:
        """Return all ends at one session."""
        return list(self._legs.get(session, {}).values())

    def orphan(self, subscriber_id: str, call_id: str) -> Leg | None:
        """Return the end that another session of the same subscriber knew as `call_id` (reattach after a reload)."""
        for session, legs in self._legs.items():
            if call_id in legs and session.subscriber.id == subscriber_id:
                return legs[call_id]
        return None

    def may_ring(self, call: Call, session: Session) -> bool:
        """Return whether this call may begin to ring at the session: few such ring there, and it has no call.

        A page that shows a door beside the call in which it is, is rung by doors all the same.
        """
        legs = self.legs_of(session)
        if any(leg.call is call for leg in legs):
            return False
        if session.never_busy:
            return True
        busy = any(leg is leg.call.caller or leg is leg.call.answered for leg in legs)
        if busy and not (call.caller_party.kind == "door" and rings_beside_a_call(session.agent)):
            return False
        alike = sum(leg.call.caller_party.kind == call.caller_party.kind for leg in legs)
        return alike < RINGING_LIMIT

    def talks(self, session: Session) -> bool:
        """Return whether the session takes part in a call that was answered."""
        return any(leg.call.answered is not None for leg in self.legs_of(session))

    def is_missed(self, session: Session) -> bool:
        """Return whether the far end of an answered call of the session is connected, and so waits for it."""
        talking = (leg for leg in self.legs_of(session) if leg.call.answered is not None)
        return any(far.session.link is not None for leg in talking for far in leg.call.others(leg))

    def open(self, call: Call, session: Session, call_id: str) -> Leg:
        """Add a call with its caller's leg."""
        call.caller = Leg(call, session, call_id)
        self._calls[call] = None
        self._keep(call.caller)
        return call.caller

    def take_up(self, call: Call, caller: Leg, answered: Leg) -> None:
        """Add a call that was answered before the space restarted."""
        call.caller, call.answered = caller, answered
        self._calls[call] = None
        for leg in (caller, answered):
            self._keep(leg)

    def ring(self, call: Call, session: Session) -> Leg:
        """Add a ringing leg."""
        leg = Leg(call, session, new_id())
        call.ringing[leg] = None
        self._keep(leg)
        return leg

    def answer(self, leg: Leg) -> list[Leg]:
        """Make a ringing leg the far end; return those that lost the race."""
        call = leg.call
        losers = [other for other in call.ringing if other is not leg]
        for loser in losers:
            self._forget(loser)
        call.ringing.clear()
        call.answered = leg
        return losers

    def withdraw(self, leg: Leg) -> None:
        """Remove one ringing leg."""
        del leg.call.ringing[leg]
        self._forget(leg)

    def close(self, call: Call) -> None:
        """Forget a call and all its legs."""
        for leg in call.legs():
            self._forget(leg)
        self._calls.pop(call, None)

    def move(self, leg: Leg, session: Session) -> None:
        """Give a leg to another session of its subscriber."""
        self._forget(leg)
        leg.session = session
        self._keep(leg)

    def _keep(self, leg: Leg) -> None:
        self._legs.setdefault(leg.session, {})[leg.call_id] = leg

    def _forget(self, leg: Leg) -> None:
        legs = self._legs.get(leg.session, {})
        legs.pop(leg.call_id, None)
        if not legs:
            self._legs.pop(leg.session, None)
