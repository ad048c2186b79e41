"""Carries out each Verto message on its call (protocol §5): sans-I/O, the time is a parameter.

What goes beyond the protocol page, because a space has no media server between the two ends:

- `verto.modify` with `updateMedia` is passed to the far end as event `verto.modify {callID, action, sdp}`. The far
  end answers with `verto.answer {dialogParams {callID}, sdp}`, whose SDP becomes the result of the modify. A far end
  that cannot (the reference client has no such message) makes the modify fail; the call goes on.
- `hold`, `unhold` and `verto.info` are passed on in the same way, without an answer.
- `transfer` is passed to the far end as `verto.modify {action: "transfer", destination}`: it dials there itself, as
  after a SIP REFER (RFC 3515), and the call with the one who transferred ends.
- An invite with `reattaching` gives a call of the same subscriber a new socket and a new peer connection; its offer
  goes to the far end as `updateMedia`, the answer comes back as `verto.answer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Set
from typing import Any, Final

from intercom.signalwire.wire.messages import CallCreated, Request, VertoMessage
from intercom.space.errors import RefusedError
from intercom.space.switch import alarm_desk, quiet_desk, replies, says, views
from intercom.space.switch.address_book import AddressBook
from intercom.space.switch.calls.calls import PING_INTERVAL_S, RING_GRACE_S, Call, Calls, Leg, Party
from intercom.space.switch.calls.renegotiation import Offers
from intercom.space.switch.calls.sdp import is_reference, offer_between
from intercom.space.switch.calls.unanswered import cause_for_caller, cause_of_end
from intercom.space.switch.calls.unreachable import UnreachableError
from intercom.space.switch.members.members import Members, subscribed
from intercom.space.switch.members.methods import MemberMethods
from intercom.space.switch.message_fields import (
    call_id_of,
    description_of,
    dialog_of,
    info_of,
    known,
    refuse_beside_a_call,
    variables_of,
)
from intercom.space.switch.replies import coded
from intercom.space.switch.rings.bell import Bell
from intercom.space.switch.rings.step import members_at, step_of
from intercom.space.switch.rings.unheard import METHOD as UNHEARD
from intercom.space.switch.sessions.sessions import Session

CALLS_LIMIT: Final = 512
"""Limit of calls at once in one space, but for a door's; a house has a few, the load bench a hundred."""
CALLS_PER_SUBSCRIBER_LIMIT: Final = 8
"""Limit of calls that one subscriber makes at once, from all its pages and devices."""
CLOSED_LIMIT_S: Final = 10.0
"""Time after which the calls of a closed client end: a reloaded page returns within seconds."""
ATTACH_AFTER_S: Final = 2.0
"""Delay of verto.attach: a page that resumes its call by itself first registers, opens its microphone and gathers."""


class CallControl:
    """Carries out the Verto messages of all sessions.

    :param addresses: who is where.
    :param sessions: the sessions there are now.
    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(
        self, addresses: AddressBook, sessions: Callable[[], Iterable[Session]], *, wall: Callable[[], float]
    ) -> None:
        self.calls = Calls()
        self.wakes: Callable[[Call], Set[str]] = lambda _call: frozenset()
        "Returns the ids of the subscribers whom pushes may still wake for a call: it rings on for them."
        self.put_off: Callable[[Callable[[], None]], None] = lambda work: work()
        "Does work before anything else happens, but after the frames so far are on their way."
        self._addresses = addresses
        self._sessions = sessions
        self._wall = wall
        self._offers = Offers(wall=wall)
        self.members = Members(wall=wall)
        self._methods = MemberMethods(self.calls, self.members, wall=wall, end=self._end)
        self.views = views.Views(self.calls, addresses, sessions, wall=wall)
        self.bell = Bell(sessions, ringing_at=addresses.ringing_at, wall=wall)
        self._says = says.Says(self.calls, self.bell, wall=wall)
        self.quiet = quiet_desk.QuietDesk(sessions, wall=wall)
        self.alarms = alarm_desk.AlarmDesk(sessions, wall=wall)
        self._obey: dict[str, Callable[[Session, Request, VertoMessage, float], dict[str, Any] | None]] = {
            "verto.invite": self._invite,
            "verto.answer": self._answer,
            "verto.bye": self._bye,
            "verto.info": self._info,
            "verto.modify": self._modify,
            "verto.pong": lambda *_: {},
            "verto.subscribe": self._subscribe,
        }

    # -- what the sessions say -----------------------------------------------------------------------------

    def verto(self, session: Session, request: Request, message: VertoMessage, now: float) -> None:
        """Carry out one Verto message, and answer it (now, or when the far end has)."""
        try:
            value = known(message, self._obey)(session, request, message, now)
        except UnreachableError as refusal:
            session.send(replies.verto_unreachable(request, message, session.node_id, refusal))
            return
        except RefusedError as refusal:
            text = str(refusal)
            session.send(replies.verto_refusal(request, message, session.node_id, replies.CALL_ERROR, text))
            return
        if value is not None:
            session.send(replies.verto_result(request, message, session.node_id, value))

    def carry_out(self, session: Session, request: Request, now: float) -> bool:
        """Carry out a request that is about calls and no Verto message, and answer it; return whether it is one."""
        if request.method in self._methods:
            self._methods.carry_out(session, request)
        elif request.method in views.METHODS:
            self.views.carry_out(session, request, now)
        elif request.method in says.METHODS:
            self._says.carry_out(session, request, now)
        elif request.method == alarm_desk.METHOD:
            self.alarms.carry_out(session, request)
        elif request.method == UNHEARD:
            self.bell.unheard.carry_out(session, request)
        elif request.method == quiet_desk.METHOD:
            if self.quiet.carry_out(session, request):
                self._ring_more(self._sessions(), now)
        else:
            return False
        return True

    def came_online(self, session: Session, now: float) -> None:
        """Tell `session` of the rings of the house, and ring it for the calls that ring its subscriber now."""
        for tell in (self.bell.tell_news, self.quiet.tell, self.alarms.tell, self.views.came_online):
            tell(session)
        self._ring_more([session], now)

    def _ring_more(self, sessions: Iterable[Session], now: float) -> None:
        """Ring those of these sessions that the calls of now do not ring yet, but would if they came now."""
        for call in self.calls:
            for session in sessions if call.answered is None else ():
                waits = session.is_there and session.subscriber.id in call.rings_for
                if waits and self.calls.may_ring(call, session) and self.bell.rings_at(call, session):
                    self._ring(call, session, now)

    def resumed(self, session: Session, now: float) -> None:
        """Tell a resumed session its calls (verto.attach), and one that calls out too: a new process ends that call.

        The reference client is told late: loaded anew, it may take its call back by itself, and told of it as well it
        would do so twice, with one callID for both, and take the answer to the one for the answer to the other.
        """
        for leg in self.calls.legs_of(session):
            if leg.call.answered is None and (leg is not leg.call.caller or is_reference(session.agent)):
                continue
            if is_reference(session.agent):
                leg.attach_at = now + ATTACH_AFTER_S
            else:
                leg.attach(self._wall())

    def gone(self, session: Session) -> None:
        """End the calls and views of a session that is gone for good."""
        for desk in (self.views, self._says, self.alarms):
            desk.gone(session)
        for leg in self.calls.legs_of(session):
            call = leg.call
            if leg in call.ringing:
                self._stops_ringing(leg, "USER_NOT_REGISTERED")
            else:
                self.bell.caller_gone(call)
                self._end(call, coded("NORMAL_CLEARING" if session.left else "NORMAL_TEMPORARY_FAILURE"), but=leg)

    def elapsed(self, now: float) -> None:
        """Carry out everything that is due at `now`, monotonic seconds."""
        self.bell.rings.elapsed(now)
        self.quiet.elapsed(now)
        for call in self._offers.elapsed(now):
            self._end(call, coded("NORMAL_TEMPORARY_FAILURE"))
        self.views.elapsed(now)
        self._says.elapsed(now)
        for call in self.calls:
            if call.answered is None and now - call.started_at >= call.rings_for_s + RING_GRACE_S:
                self._end(call, coded("NO_ANSWER"))
                continue
            self._ends_unless_it_rings(call)
            for leg in [leg for leg in call.ringing if leg.session.liveness.silent]:
                leg.bye(coded("NO_USER_RESPONSE"), self._wall())
                self._stops_ringing(leg, "USER_NOT_REGISTERED")
            for leg in call.legs():
                if now >= leg.attach_at:
                    leg.attach(self._wall())
            if call.answered is not None and now >= call.next_ping_at:
                call.next_ping_at = now + PING_INTERVAL_S
                for leg in (call.caller, call.answered):
                    leg.tell("verto.ping", {"dialogParams": {"callID": leg.call_id}}, self._wall())

    # -- one method per message ----------------------------------------------------------------------------

    def _invite(self, session: Session, request: Request, message: VertoMessage, now: float) -> dict[str, Any] | None:
        dialog = dialog_of(message)
        refuse_beside_a_call(dialog)
        call_id = call_id_of(message)
        sdp = description_of(message)
        if dialog.get("reattaching") is True:
            return self._reattach(session, call_id, sdp, now)
        if self.calls.leg(session, call_id) is not None:
            raise RefusedError("There is a call with this callID already")
        mine = sum(call.caller.session.subscriber.id == session.subscriber.id for call in self.calls)
        full = len(self.calls) >= CALLS_LIMIT and session.subscriber.kind != "door"
        if full or (mine >= CALLS_PER_SUBSCRIBER_LIMIT and not session.never_busy):
            raise RefusedError("There are too many calls")
        number = str(dialog.get("destination_number", "")).partition("?")[0][:256]
        variables = variables_of(dialog.get("userVariables"))
        step = step_of(session.subscriber, variables)
        members = members_at(self._addresses, number, step)
        call = Call(
            called=Party(number, self._addresses.display_name(number)),
            caller_party=Party.of(session.subscriber),
            rings_for=frozenset().union(*members.values()) - {session.subscriber.id},
            members=members,
            sdp=sdp,
            user_variables=variables,
            started_at=now,
        )
        leg = self.calls.open(call, session, call_id)
        created = CallCreated("CALL CREATED", call_id, leg.member_id)
        session.send(replies.verto_result(request, message, session.node_id, created))
        if not self.bell.may_ring(call, step):
            self._end(call, coded("LOSE_RACE"))
            return None
        for earlier in self.bell.earlier(call, self.calls):
            self._end(earlier, coded("NORMAL_TEMPORARY_FAILURE"))
        self._ring_all(call, now)
        return None

    def _ring_all(self, call: Call, now: float) -> None:
        there = [s for s in self._sessions() if s.is_there and s.subscriber.id in call.rings_for]
        online = [session for session in there if self.bell.rings_at(call, session)]
        free = [session for session in online if self.calls.may_ring(call, session)]
        for session in free:
            self._ring(call, session, now)
        if not free and not self._may_wake(call):
            away = "NO_USER_RESPONSE" if self.bell.is_spared(call) else cause_for_caller(call.unanswered)
            self._end(call, coded("USER_BUSY" if online else away))
        elif not free:
            self.members.ringing(call)

    def _may_wake(self, call: Call) -> bool:
        """Return whether somebody whom the call rings may still be woken for it: one who is not there now."""
        sleeping = set(self.wakes(call) & call.rings_for)
        return bool(sleeping - {session.subscriber.id for session in self._sessions() if session.is_there})

    def _ring(self, call: Call, session: Session, now: float) -> None:
        if not call.ringing:
            self.members.ringing(call)
        leg = self.calls.ring(call, session)
        sdp = offer_between(call.sdp, by=call.caller.session.agent, to=session.agent)
        leg.tell("verto.invite", {**call.invite(sdp), **self.bell.named(call, session)}, self._wall())
        self.views.rings(leg, now)
        session.must_react(now, self._wall())

    def _answer(self, session: Session, request: Request, message: VertoMessage, now: float) -> dict[str, Any] | None:
        if self.bell.answers_late(session, call_id_of(message)):
            self._ring_more([session], now)
        leg = self._leg(session, message)
        sdp = description_of(message)
        if leg not in leg.call.ringing:
            return self._offers.answered(leg, sdp, now)
        losers = self.calls.answer(leg)
        leg.call.next_ping_at = now + PING_INTERVAL_S
        leg.call.tell_answer(leg, sdp, self._wall())
        self.put_off(lambda: self._answered(leg, losers, sdp, request, message))
        return None

    def _answered(self, leg: Leg, losers: list[Leg], sdp: str, request: Request, message: VertoMessage) -> None:
        """Tell the house of an answer: its caller, who has it already, connects meanwhile."""
        session = leg.session
        self.bell.answered(leg.call, session.subscriber)
        for loser in losers:
            loser.bye(coded("LOSE_RACE"), self._wall())
            self.views.left(loser)
        self.members.joined(leg.call, sdp)
        value = {"message": "CALL ANSWERED", "callID": leg.call_id, "memberID": leg.member_id}
        session.send(replies.verto_result(request, message, session.node_id, value))

    def _bye(self, session: Session, _request: Request, message: VertoMessage, _now: float) -> dict[str, Any]:
        call_id = call_id_of(message)
        cause = replies.cause_passed_on(message.params.get("cause"), message.params.get("causeCode"))
        leg = self.calls.leg(session, call_id)
        if leg is not None and leg in leg.call.ringing:
            self._declined(leg, cause[0])
        elif leg is not None:
            if leg.call.answered is None and cause[0] == "NORMAL_CLEARING":
                cause = coded("ORIGINATOR_CANCEL")
            self.bell.answered_too_late(leg, cause[0])
            self._end(leg.call, cause, but=leg)
        return {"message": "CALL ENDED", "callID": call_id, "cause": cause[0], "causeCode": cause[1]}

    def _info(self, session: Session, _request: Request, message: VertoMessage, _now: float) -> dict[str, Any]:
        leg = self._leg(session, message)
        params = info_of(message)
        self.bell.pressed(leg, params.get("intercom"))
        if self.bell.opened(leg, params.get("intercom")) and leg.call.answered is None:
            self._end(leg.call, coded("PICKED_OFF"))
        else:
            for other in leg.call.others(leg):
                other.tell("verto.info", params, self._wall())
        return {"message": "SENT", "callID": leg.call_id}

    def _subscribe(self, session: Session, _request: Request, message: VertoMessage, _now: float) -> dict[str, Any]:
        call_id, wanted = message.params.get("sessid"), message.params.get("eventChannel")
        if not isinstance(call_id, str) or self.calls.leg(session, call_id) is None:
            raise RefusedError("CALL DOES NOT EXIST")
        return subscribed(wanted)

    def _modify(self, session: Session, request: Request, message: VertoMessage, now: float) -> dict[str, Any] | None:
        leg = self._leg(session, message)
        action = message.params.get("action")
        far = self._far(leg)
        if action in ("hold", "unhold"):
            leg.held = action == "hold"
            far.tell("verto.modify", {"action": action}, self._wall())
            return {"action": action, "callID": leg.call_id, "holdState": "held" if leg.held else "active"}
        if action == "updateMedia":
            if far.session.closed_s(now) > CLOSED_LIMIT_S:  # no sound, and nobody who could mend it
                self._end(leg.call, coded("MEDIA_TIMEOUT"))
                raise RefusedError("CALL DOES NOT EXIST")
            self._offers.make(leg, far, description_of(message), now, (request, message))
            return None
        if action == "transfer":
            return self._transfer(leg, far, message.params.get("destination"))
        raise RefusedError("action is one of updateMedia, hold, unhold and transfer")

    def _transfer(self, leg: Leg, far: Leg, destination: object) -> dict[str, Any]:
        if not isinstance(destination, str) or self._addresses.ringing_at(destination.partition("?")[0]) is None:
            raise RefusedError("Nobody has the address to transfer to")
        if is_reference(far.session.agent):
            raise RefusedError("The far end cannot be transferred")
        far.tell("verto.modify", {"action": "transfer", "destination": destination[:256]}, self._wall())
        self._end(leg.call, coded("NORMAL_CLEARING"))
        return {"action": "transfer", "callID": leg.call_id}

    def _reattach(self, session: Session, call_id: str, sdp: str, now: float) -> dict[str, Any]:
        leg = self.calls.leg(session, call_id) or self.calls.orphan(session.subscriber.id, call_id)
        if leg is not None and leg.call.answered is None and leg is leg.call.caller:
            self._end(leg.call, coded("NORMAL_TEMPORARY_FAILURE"), but=leg)  # it rings for an earlier process
        if leg is None or leg.call.answered is None:
            raise RefusedError("CALL DOES NOT EXIST")
        if leg.session is not session:
            if leg.session.link is not None:
                raise RefusedError("The call goes on at another device")
            self.calls.move(leg, session)
        leg.attach_at = math.inf
        self._offers.make_again(leg, self._far(leg), sdp, now)
        self.members.rejoined(leg, sdp)
        return {"message": "CALL CREATED", "callID": call_id, "memberID": leg.member_id}

    def _declined(self, leg: Leg, cause: str) -> None:
        """Let one end stop ringing, or all where a person refused for the house: as RFC 3261 tells 486 from 603."""
        call, person = leg.call, leg.session.subscriber
        if cause == "CALL_REJECTED" and call.one_device:
            self.bell.declined(call, person)
            for one in [one for one in call.ringing if one.session.subscriber.id == person.id]:
                if one is not leg:
                    one.bye(coded(cause), self._wall())
                self._stops_ringing(one, cause)
        elif cause == "CALL_REJECTED" and self.bell.refused(call, person):
            self.calls.withdraw(leg)
            self._end(call, coded(cause))
        else:
            self._stops_ringing(leg, cause_of_end(cause))

    def _stops_ringing(self, leg: Leg, cause: str) -> None:
        call = leg.call
        self.calls.withdraw(leg)
        self.views.left(leg)
        call.unanswered.append(cause)
        self._ends_unless_it_rings(call)

    def _ends_unless_it_rings(self, call: Call) -> None:
        if call.answered is None and not call.ringing and not self._may_wake(call):
            self._end(call, coded(cause_for_caller(call.unanswered)))

    def _end(self, call: Call, cause: tuple[str, int], *, but: Leg | None = None) -> None:
        self.bell.over(call, cause[0])
        if but is not None:
            self.members.left(but, cause[0])
        for leg in call.legs():
            if leg is not but:
                leg.bye(cause, self._wall())
        self.calls.close(call)
        self._offers.forget(call)
        self.views.forget(call)

    def _leg(self, session: Session, message: VertoMessage) -> Leg:
        leg = self.calls.leg(session, call_id_of(message))
        if leg is None:
            raise RefusedError("CALL DOES NOT EXIST")
        return leg

    def _far(self, leg: Leg) -> Leg:
        if leg.call.answered is None:
            raise RefusedError("The call is not answered yet")
        return leg.call.others(leg)[0]
