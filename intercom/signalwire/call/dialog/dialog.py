"""Runs one Verto call without I/O: messages and `now` go in, requests and events come out (protocol.md §5).

What holds:

- A dialog ends once: one `Ended`, from whichever end, the media or the service, is first. What comes later
  (the other end's bye, an answer that crossed ours) changes nothing.
- A bye is owed exactly when the service may know the call and has not itself ended it. If the invite is not
  confirmed yet, the bye follows its confirmation, since only that tells the call's node.
- The far end's session description is reported once, from verto.media or from verto.answer.
"""

from __future__ import annotations

from typing import Any

from intercom.signalwire.call.dialog.events import (
    CallStatus,
    DigitsReceived,
    Ended,
    FarAnswered,
    FarHeld,
    FarOffered,
    InfoReceived,
    MediaParamsReceived,
    MessageIgnored,
    RequestConcluded,
    StatusChanged,
    TransferAsked,
)
from intercom.signalwire.call.dialog.leg import CallLeg, far_end_kind_of
from intercom.signalwire.call.dialog.outbox import DialogOutbox
from intercom.signalwire.errors import BadFrameError, InvalidParamsError, InvalidStateError
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.verto import IncomingModify, cause_of, innermost

MEDIA_DEADLINE_S = 15.0
"""Time limit for the media to connect after the answer, which takes well under a second."""
RING_DEADLINE_S = 630.0
"""Time after which a ringing call ends, in case its bye is lost; longer than any door may ring (10 minutes)."""
BYE_TIMEOUT_S = 30.0
"""Time limit of a bye, worth sending even after an outage: three times as long as a space waits for a lost socket."""
DIGITS = frozenset("0123456789*#ABCD")
MAX_DIGITS = 64
"""Limit of digits in one message: nobody presses more between two messages."""

_OVER = {CallStatus.DISCONNECTING, CallStatus.DISCONNECTED, CallStatus.FAILED, CallStatus.DESTROYED}


class Dialog:
    """A call between us and one far end, told apart by the id of its leg."""

    def __init__(self, leg: CallLeg) -> None:
        self.leg = leg
        self.status = CallStatus.RINGING if leg.direction == "inbound" else CallStatus.NEW
        self.end_cause: str | None = None
        self.held = False
        self.outbox = DialogOutbox(leg)
        self._invite_key: int | None = None
        self._known = leg.direction == "inbound" or leg.reattach
        self._bye_owed: str | None = None
        self._answered = False
        self._described = False
        self._media_state = "new"
        self._deadline: float | None = None

    @classmethod
    def from_invite(cls, invite: m.IncomingInvite, node_id: str, now: float) -> Dialog:
        """Return the dialog of an inbound call."""
        dialog = cls(CallLeg.of_invite(invite, node_id))
        dialog._deadline = now + RING_DEADLINE_S
        return dialog

    @property
    def is_over(self) -> bool:
        """True once the call has ended, from either end."""
        return self.status in _OVER

    # -- what we do ------------------------------------------------------------------------------------

    def invite(self, sdp: str, now: float) -> int:
        """Call the far end with a complete offer; it may ring for `RING_DEADLINE_S`."""
        self._must_be(CallStatus.NEW)
        self._deadline = now + RING_DEADLINE_S
        params = {"dialogParams": self.leg.dialog_params(first=True), "sdp": sdp}
        self._invite_key = self.outbox.send("verto.invite", params, first=True)
        return self._invite_key

    def answer(self, sdp: str, now: float) -> int:
        """Accept an inbound call with a complete answer."""
        self._must_be(CallStatus.RINGING)
        if self.leg.direction != "inbound":
            raise InvalidStateError("Only an inbound call can be answered; this one was dialled.")
        key = self.outbox.send(
            "verto.answer", {"dialogParams": self.leg.dialog_params(first=True), "sdp": sdp}, first=True
        )
        self._described = True
        self._accept(now)
        return key

    def bye(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call, whatever its status; does nothing when it is over."""
        if not self.is_over:
            self._send_bye(cause)
            self._end(CallStatus.DISCONNECTING, cause, "near")

    def digits(self, digits: str) -> int:
        """Send DTMF digits by verto.info; raises the errors of `sendable`."""
        return self.outbox.send("verto.info", {**self.leg.short_params(), "dtmf": self.sendable(digits)})

    def sendable(self, digits: str) -> str:
        """Return the digits in capitals; raises `InvalidParamsError` or, before the answer, `InvalidStateError`."""
        digits = digits.upper()
        if not digits or len(digits) > MAX_DIGITS or not DIGITS.issuperset(digits):
            raise InvalidParamsError(f"Digits are 1 to {MAX_DIGITS} of 0-9, *, #, A-D.")
        self._must_be_answered()
        return digits

    def info(self, info: dict[str, Any]) -> int:
        """Send a message to the far end's application; it arrives as `InfoReceived`."""
        self._must_be_alive()
        return self.outbox.send("verto.info", {**self.leg.short_params(), "intercom": info})

    def hold(self, on: bool) -> int:
        """Hold the far end, or resume it."""
        self._must_be_answered()
        return self.outbox.send("verto.modify", {**self.leg.short_params(), "action": "hold" if on else "unhold"})

    def update_media(self, sdp: str) -> int:
        """Offer new media, or new ICE; the answer stands in `RequestConcluded.result["sdp"]`."""
        self._must_be_answered()
        params = {"dialogParams": self.leg.dialog_params(), "sdp": sdp, "action": "updateMedia"}
        return self.outbox.send("verto.modify", params)

    def answer_update(self, sdp: str) -> int:
        """Answer the far end's new offer (`FarOffered`)."""
        self._must_be_answered()
        return self.outbox.send(
            "verto.answer", {"dialogParams": self.leg.dialog_params(), "sdp": sdp}, kind="update answer"
        )

    def transfer(self, destination: str) -> int:
        """Send the far end to another address."""
        if not destination:
            raise InvalidParamsError("transfer() needs the address to transfer to.")
        self._must_be_answered()
        params = {"destination": destination, "dialogParams": self.leg.dialog_params(), "action": "transfer"}
        return self.outbox.send("verto.modify", params)

    def subscribe(self, event_type: str) -> int:
        """Subscribe to one more type of event on this call."""
        self._must_be_alive()
        return self.outbox.send("verto.subscribe", {"sessid": self.leg.call_id, "eventChannel": [event_type]})

    # -- what the media does ---------------------------------------------------------------------------

    def media(self, state: str, now: float) -> None:
        """Take the peer connection's state: new, connecting, connected, disconnected, failed, closed."""
        self._media_state = state
        if self.is_over:
            return
        if state in {"failed", "closed"}:
            self._send_bye("MEDIA_TIMEOUT")
            self._end(CallStatus.FAILED, "MEDIA_TIMEOUT", "media")
        elif state == "connected" and self._answered:
            self._deadline = None
            self._set(CallStatus.CONNECTED)
        elif state == "disconnected" and self.status is CallStatus.CONNECTED:
            self._deadline = now + MEDIA_DEADLINE_S
            self._set(CallStatus.RECOVERING)

    def media_failed(self, cause: str = "INCOMPATIBLE_DESTINATION") -> None:
        """End the call: its media cannot be opened, or cannot use the far end's description."""
        if not self.is_over:
            self._send_bye(cause)
            self._end(CallStatus.FAILED, cause, "media")

    def recovering(self, now: float, patience_s: float = MEDIA_DEADLINE_S) -> None:
        """Note that the media is being repaired, and set its deadline."""
        if self.status in {CallStatus.CONNECTED, CallStatus.RECOVERING}:
            self._deadline = now + patience_s
            self._set(CallStatus.RECOVERING)

    def forgotten(self) -> None:
        """End a call that the service has lost and whose far end sends no media."""
        if not self.is_over:
            self._end(CallStatus.DISCONNECTED, "NORMAL_CLEARING", "service")

    def media_closed(self) -> None:
        """Note that the media of an ended call is closed, which destroys the call."""
        if self.status is CallStatus.DISCONNECTING:
            self._set(CallStatus.DISCONNECTED)
        if self.is_over:
            self._set(CallStatus.DESTROYED)

    def next_deadline(self) -> float | None:
        """Return the time of the next `tick`."""
        return self._deadline

    def tick(self, now: float) -> None:
        """End the call if its deadline has passed: that of ringing before the answer, that of the media after it."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            if self._answered:
                self.media("failed", now)
            else:
                self.bye("NO_ANSWER")

    # -- what the service does -------------------------------------------------------------------------

    def receive(self, message: m.VertoMessage, node_id: str, now: float) -> None:
        """Take one Verto message of this call; a malformed one is reported, nothing raises."""
        self._known = True
        if node_id:
            self.leg.node_id = node_id
        if self.is_over:
            self._pay_bye()
            self.outbox.report(MessageIgnored("A message came after the call's end."))
            return
        try:
            self._receive(message, now)
        except BadFrameError as error:
            self.outbox.report(MessageIgnored(str(error)))

    def _receive(self, message: m.VertoMessage, now: float) -> None:
        match message.method:
            case "verto.media":
                self._far_described(m.decode(message.params, m.IncomingAnswer))
                if self.status in {CallStatus.NEW, CallStatus.TRYING}:
                    self._set(CallStatus.RINGING)
            case "verto.answer":
                self._far_answered(m.decode(message.params, m.IncomingAnswer), now)
            case "verto.bye":
                bye = m.decode(message.params, m.IncomingBye)
                self._end(CallStatus.DISCONNECTED, bye.cause or "NORMAL_CLEARING", "far")
            case "verto.ping":
                self.outbox.send("verto.pong", message.params)
            case "verto.info":
                self._receive_info(m.decode(message.params, m.Info))
            case "verto.mediaParams":
                params = m.decode(message.params, m.IncomingMediaParams).mediaParams
                self.outbox.report(MediaParamsReceived(params))
            case "verto.attach":
                pass  # the call lives on after a resume; we never thought otherwise
            case "verto.modify":
                self._receive_modify(m.decode(message.params, IncomingModify))
            case "verto.invite":
                raise BadFrameError("A second invite came for a known call.")
            case _:
                raise BadFrameError("A Verto message of an unknown kind came.")

    def _receive_modify(self, modify: IncomingModify) -> None:
        match modify.action:
            case "updateMedia" if modify.sdp and self._answered:
                self.outbox.report(FarOffered(modify.sdp))
            case "hold" | "unhold":
                self.outbox.report(FarHeld(modify.action == "hold"))
            case "transfer" if modify.destination:
                self.outbox.report(TransferAsked(modify.destination))
            case _:
                raise BadFrameError("A modify makes no sense in this call now.")

    def _receive_info(self, info: m.Info) -> None:
        if isinstance(info.dtmf, str):
            digits = "".join(digit for digit in info.dtmf.upper()[:MAX_DIGITS] if digit in DIGITS)
            if digits:
                self.outbox.report(DigitsReceived(digits))
        if isinstance(info.intercom, dict):
            self.outbox.report(InfoReceived(info.intercom))

    def _far_answered(self, answer: m.IncomingAnswer, now: float) -> None:
        if self._answered or self.leg.direction == "inbound":
            raise BadFrameError("An answer came to a call that needs none.")
        self.leg.far_end_kind = far_end_kind_of(answer.callee_kind)
        self.leg.answered_by = answer.callee_name
        self.leg.answered_address = answer.callee_number
        self._far_described(answer)
        if self._described:
            self._accept(now)
        else:
            self.media_failed()

    def session_lost(self) -> None:
        """End a ringing call: in its new session the service sends no more messages about it."""
        if self._known and not self._answered:
            self.bye("RECOVERY_ON_TIMER_EXPIRE")

    def far_rings(self) -> None:
        """Note that the far end rings."""
        if self.status in {CallStatus.NEW, CallStatus.TRYING} and self.leg.direction == "outbound":
            self._set(CallStatus.RINGING)

    def _far_described(self, answer: m.IncomingAnswer) -> None:
        if answer.sdp and not self._described and self.leg.direction == "outbound":
            self._described = True
            self.outbox.report(FarAnswered(answer.sdp))

    def concluded(self, key: int, result: Any, error: Exception | None) -> None:
        """Take the end of a request: the `result` of webrtc.verto or its `error`; an unknown key is ignored."""
        kind = self.outbox.concluded(key)
        if kind is None:
            return
        inner: Any = None
        if error is None:
            inner, error = innermost(result, kind)
        if kind == "verto.invite":
            error = self._invite_concluded(result, inner, error)
        elif kind == "verto.answer" and error is not None:
            if isinstance(error, TimeoutError | ConnectionError) and not self.is_over:
                # The service may have the answer all the same, and the far end would talk to nobody.
                self._send_bye(cause_of(error))
            self._end(CallStatus.FAILED, cause_of(error), "service")
        elif kind == "hold" and error is None:
            self.held = True
        elif kind == "unhold" and error is None:
            self.held = False
        self.outbox.report(RequestConcluded(key, inner, error))

    def _invite_concluded(self, result: Any, inner: Any, error: Exception | None) -> Exception | None:
        """Take the result of the invite; return the reason for its failure, if it failed."""
        self._invite_key = None
        if isinstance(result, dict):
            self.leg.node_id = str(result.get("node_id") or "") or self.leg.node_id
        created = m.CallCreated()
        if error is None:
            try:
                created = m.decode(inner, m.CallCreated)
            except BadFrameError as damaged:
                error = damaged
        if isinstance(error, TimeoutError | ConnectionError | BadFrameError):
            # The service may have the call all the same.
            self._known = True
            self._send_bye("ORIGINATOR_CANCEL")
        if error is not None:
            self._bye_owed = None
            self._end(CallStatus.FAILED, cause_of(error), "service")
            return error
        self._known = True
        self.leg.member_id = created.memberID
        self.leg.aliases |= {created.callID or self.leg.call_id}
        self._pay_bye()
        if self.status is CallStatus.NEW:
            self._set(CallStatus.TRYING)
        return None

    # -- inside ----------------------------------------------------------------------------------------

    def _accept(self, now: float) -> None:
        self._answered = True
        self._deadline = now + MEDIA_DEADLINE_S
        self._set(CallStatus.CONNECTING)
        if self._media_state == "connected":
            self.media("connected", now)

    def _pay_bye(self) -> None:
        owed, self._bye_owed = self._bye_owed, None
        if owed is not None:
            self._send_bye(owed)

    def _send_bye(self, cause: str) -> None:
        if not self._known:
            if self._invite_key is not None:
                self._bye_owed = cause
            return
        code = m.CAUSE_CODES.get(cause)
        # The reference client says nothing of attaching before both ends have described themselves, and names a cause
        # only where it is not the usual one.
        undescribed = not (self._described or self.leg.reattach)
        params: dict[str, Any] = {"dialogParams": self.leg.dialog_params(first=undescribed)}
        if cause != "NORMAL_CLEARING":
            params["cause"] = cause
            if code is not None:
                params["causeCode"] = str(code)
        self.outbox.send("verto.bye", params, idempotent=True, timeout_s=BYE_TIMEOUT_S)

    def _end(self, status: CallStatus, cause: str, by: str) -> None:
        if self.is_over:
            return
        self.end_cause = cause
        self._deadline = None
        self._set(status)
        self.outbox.report(Ended(cause, by))

    def _set(self, status: CallStatus) -> None:
        if status is not self.status:
            self.status = status
            self.outbox.report(StatusChanged(status))

    def _must_be(self, status: CallStatus) -> None:
        if self.status is not status:
            raise InvalidStateError(f"The call is {self.status}, not {status}.")

    def _must_be_alive(self) -> None:
        if self.is_over:
            raise InvalidStateError(f"The call is over ({self.end_cause}).")

    def _must_be_answered(self) -> None:
        self._must_be_alive()
        if not self._answered:
            raise InvalidStateError(f"The call is {self.status}; this needs an answered call.")
