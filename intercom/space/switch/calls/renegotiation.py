"""Passes new offers within a call (`updateMedia`) to the far end, and its answers back. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from intercom.signalwire.wire.messages import Request, VertoMessage
from intercom.space.errors import RefusedError
from intercom.space.switch import replies
from intercom.space.switch.calls.calls import Call, Leg
from intercom.space.switch.calls.sdp import answer_between, is_reference, offer_between

MODIFY_LIMIT_S: Final = 4.0
"""Time limit of a far end for a new offer; clients wait 5 s for the answer (protocol §3)."""


@dataclass(slots=True)
class _Offer:
    leg: Leg
    far: Leg
    deadline: float
    reply: tuple[Request, VertoMessage] | None
    "The modify to answer; None for a reattach, which is answered by an event."
    newer: str | None = None
    "Newer offer of the same end, passed on once this one has been answered."


class Offers:
    """The offers that await an answer, at most one in each call.

    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(self, *, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._offers: list[_Offer] = []

    def make(self, leg: Leg, far: Leg, sdp: str, now: float, reply: tuple[Request, VertoMessage] | None) -> None:
        """Pass the offer of `leg` to the far end; `reply` is the modify that its answer answers.

        Raises `RefusedError` when the far end cannot take one, or another is under way.
        """
        if is_reference(far.session.agent):
            raise RefusedError("The far end cannot take a new offer")
        if any(offer.leg.call is leg.call for offer in self._offers):
            raise RefusedError("Another new offer is under way in this call")
        self._offers.append(_Offer(leg, far, now + MODIFY_LIMIT_S, reply))
        self._pass_on(self._offers[-1], sdp)

    def make_again(self, leg: Leg, far: Leg, sdp: str, now: float) -> None:
        """Pass a further offer of a reloaded end; the reference client makes two after a reload."""
        for offer in [offer for offer in self._offers if offer.leg.call is leg.call]:
            if offer.leg is leg and offer.reply is None:
                offer.newer = sdp
                return
            self._refuse(offer, "The far end begins anew")
        self.make(leg, far, sdp, now, None)

    def answered(self, far: Leg, sdp: str, now: float) -> dict[str, Any]:
        """Pass the far end's answer back; return the result for the far end. Raises `RefusedError` without an offer."""
        offer = next((offer for offer in self._offers if offer.far is far), None)
        if offer is None:
            raise RefusedError("The call is answered already")
        if offer.newer is not None:
            self._pass_newer(offer, now)
            return {"message": "CALL MODIFIED", "callID": far.call_id}
        self._offers.remove(offer)
        leg = offer.leg
        sdp = answer_between(sdp, by=far.session.agent, to=leg.session.agent)
        if offer.reply is None:
            leg.tell("verto.answer", {"sdp": sdp}, self._wall())
        else:
            value = {"action": "updateMedia", "callID": leg.call_id, "sdp": sdp}
            leg.session.send(replies.verto_result(*offer.reply, leg.session.node_id, value))
        return {"message": "CALL MODIFIED", "callID": far.call_id}

    def elapsed(self, now: float) -> list[Call]:
        """Refuse the offers that were not answered in time; return the calls that cannot go on without an answer."""
        late = [offer for offer in self._offers if offer.deadline <= now]
        for offer in late:
            self._refuse(offer, "The far end did not answer the new offer in time")
        return [offer.leg.call for offer in late if offer.reply is None]

    def forget(self, call: Call) -> None:
        """Refuse the open offer of a call that is over."""
        for offer in [offer for offer in self._offers if offer.leg.call is call]:
            self._refuse(offer, "CALL DOES NOT EXIST")

    def _pass_newer(self, offer: _Offer, now: float) -> None:
        """Pass the newer offer to a far end that has answered the older one."""
        assert offer.newer is not None
        sdp, offer.newer, offer.deadline = offer.newer, None, now + MODIFY_LIMIT_S
        self._pass_on(offer, sdp)

    def _pass_on(self, offer: _Offer, sdp: str) -> None:
        sdp = offer_between(sdp, by=offer.leg.session.agent, to=offer.far.session.agent)
        offer.far.tell("verto.modify", {"action": "updateMedia", "sdp": sdp}, self._wall())

    def _refuse(self, offer: _Offer, why: str) -> None:
        self._offers.remove(offer)
        if offer.reply is not None:
            session = offer.leg.session
            session.send(replies.verto_refusal(*offer.reply, session.node_id, replies.CALL_ERROR, why))
