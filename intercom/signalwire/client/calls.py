"""Holds the subscriber's calls, and passes the service's events to the call that each is about."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from intercom.signalwire.account.directory import Address
from intercom.signalwire.call.call import Call
from intercom.signalwire.call.dialog.dialog import Dialog
from intercom.signalwire.call.dialog.events import CallStatus, VertoRequest
from intercom.signalwire.call.dialog.leg import CallLeg
from intercom.signalwire.call.media_options import AskedMedia, MediaOptions, choose_media
from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.client.resume_store import KnownCall, ResumeStore
from intercom.signalwire.errors import (
    BadFrameError,
    CallError,
    InvalidParamsError,
    NotConnectedError,
    RpcError,
    SignalWireError,
)
from intercom.signalwire.link.link import Link
from intercom.signalwire.media import JudgingMedia, MediaProvider
from intercom.signalwire.observable import Happenings, Value, report_fault, task_failed
from intercom.signalwire.preferences import ClientPreferences, choose_ice_servers
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.events import Authenticated
from intercom.signalwire.wire.verto import CALL_UNKNOWN
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

MAX_CALLS = 32
"""Limit of calls at once, beyond which callers hear that we are busy: a door has one visitor, and memory has an end."""
MAX_ADDRESS_CHARS = 512


class Calls:
    """The calls of one client; `ClientSession` shows them to the program."""

    def __init__(
        self,
        link: Link,
        media: MediaProvider,
        preferences: ClientPreferences,
        store: ResumeStore,
        *,
        take_up_calls: bool = True,
        others_may_mute: bool = True,
    ) -> None:
        self.media = media
        self._take_up_calls = take_up_calls
        self.added: Happenings[WebRTCCall] = Happenings()
        self.known_calls: list[KnownCall] = []
        self._preferences = preferences
        self._others_may_mute = others_may_mute
        self._store = store
        self.link = link
        self._open: dict[Call, WebRTCCall] = {}
        """The calls that have not ended, and the program's view of each."""
        self.open: Value[tuple[WebRTCCall, ...]] = Value(())
        """All calls that have not ended."""
        self.incoming: Value[tuple[WebRTCCall, ...]] = Value(())
        """The inbound calls that have not ended, answered or not."""
        self.events: Happenings[m.Event] = Happenings()
        """All events of the service, as they come."""
        self._not_sent: set[str] = set()
        self._background = TaskSet(task_failed)
        link.events.stream.subscribe(self._receive)
        link.authenticated.stream.subscribe(self._authenticated)
        link.ready.stream.subscribe(self._service_changed)
        link.refused.stream.subscribe(self._refused)

    @property
    def ice_servers(self) -> Sequence[Mapping[str, Any]]:
        """ICE servers for peer connections: the service's, or the preferred ones (W3C RTCIceServer)."""
        result = self.link.session.result
        given: list[dict[str, Any]] = msgspec.to_builtins(result.ice_servers) if result else []
        return choose_ice_servers(self._preferences, given)

    @property
    def relay_only(self) -> bool:
        """Whether calls use only relayed candidates."""
        return self._preferences.relay_only

    @property
    def others_may_mute(self) -> bool:
        """Whether other members of a call may mute us."""
        return self._others_may_mute

    @property
    def reachable(self) -> bool:
        """Whether the service can be reached now."""
        return self.link.ready.value

    def look_after_connection(self) -> None:
        """Probe the connection: the media of a call broke or came back."""
        self.link.network_changed()

    async def execute(self, method: str, params: Mapping[str, Any], *, timeout_s: float = 5.0) -> Any:
        """Send any request to the service; return the result as builtins."""
        return await self.link.requests.execute(method, params, timeout_s=timeout_s)

    # -- for the client and its calls ------------------------------------------------------------------

    async def dial(
        self, destination: str | Address, asked: AskedMedia, *, user_variables: Mapping[str, Any] | None
    ) -> WebRTCCall:
        """Call an address, a number or a SIP URI; see `SignalWire.dial`."""
        if not self.link.running:
            raise NotConnectedError("dial() needs a connection; call connect() or register() first.")
        to = destination.default_channel if isinstance(destination, Address) else destination
        if not to or len(to) > MAX_ADDRESS_CHARS or not to.isprintable():
            raise InvalidParamsError("dial() needs an address, for example /private/house or +15551234567.")
        options = self.choose_media(to, asked)
        leg = CallLeg(
            m.new_id(),
            "outbound",
            to=to,
            user_variables={**self._preferences.user_variables, **(user_variables or {})},
        )
        call = Call(self, Dialog(leg))
        shown = self._add(call)
        await call.start(options)
        return shown

    def choose_media(self, address: str, asked: AskedMedia) -> MediaOptions:
        """Return what a call of this address sends and receives; raises `InvalidParamsError` when that is nothing."""
        return choose_media(address, asked, self._preferences)

    def submit_verto(self, request: VertoRequest) -> tuple[str, asyncio.Future[Any]]:
        """Send a call's Verto message; return the request's id and the future of its result."""
        return self.link.requests.submit(
            "webrtc.verto", request.params, timeout_s=request.timeout_s, idempotent=request.idempotent
        )

    def cancel(self, request_id: str) -> bool:
        """Cancel a request; return whether it was still unsent."""
        return self.link.requests.cancel(request_id)

    def set_sending(self, kind: str, on: bool) -> None:
        """Switch the sending of "audio" or "video" on or off, in present and later calls."""
        self._not_sent = self._not_sent - {kind} if on else self._not_sent | {kind}
        for call in list(self._open):
            call.mutes.switch(kind, on, "client")

    def network_changed(self) -> None:
        """Tell all calls that this machine's links or addresses changed, so that they check their path."""
        for call in list(self._open):
            call.network_changed()

    async def hang_up_all(self) -> None:
        """End every call."""
        async with asyncio.TaskGroup() as group:
            for call in list(self._open):
                group.create_task(call.hangup())

    # -- what the service tells ------------------------------------------------------------------------

    def _authenticated(self, authenticated: Authenticated) -> None:
        for call in list(self._open):
            if not authenticated.resumed:
                call.session_lost()
            elif call.status.value in {CallStatus.TRYING, CallStatus.RINGING}:
                self._background.spawn(self._make_sure(call))

    async def _make_sure(self, call: Call) -> None:
        """Probe a ringing call with an empty message: a service may resume a session and have lost its calls."""
        try:
            await call.send_info({})
        except SignalWireError as error:
            if isinstance(error, RpcError) and error.message == CALL_UNKNOWN:
                call.session_lost()

    def _service_changed(self, reachable: bool) -> None:
        for call in list(self._open):
            call.service_changed(reachable)

    def _refused(self, _: SignalWireError) -> None:
        for call in list(self._open):
            call.recovery.service_refused()

    def _receive(self, event: m.Event) -> None:
        self.events.emit(event)
        try:
            if event.event_type == "webrtc.message":
                self._receive_verto(m.decode(event.params, m.VertoMessage), event.node_id or "")
            else:
                for call in list(self._open):
                    call.receive_event(event)
        except BadFrameError as error:
            self.link.warnings.emit(str(error))
        except Exception as error:  # noqa: BLE001 - one odd event must not make us deaf; the loop hears of it
            report_fault("An event of the service could not be handled", error)

    def _receive_verto(self, message: m.VertoMessage, node_id: str) -> None:
        call_id = _call_id(message.params)
        for call in list(self._open):
            if call_id in call.leg.aliases:
                call.receive(message, node_id)
                return
        if message.method == "verto.invite":
            self._invited(m.decode(message.params, m.IncomingInvite), node_id)
        elif message.method == "verto.attach":
            self._attached(m.decode(message.params, m.Attach), node_id)
        else:
            logger.debug("A message of an unknown call came; it is skipped.")

    def _invited(self, invite: m.IncomingInvite, node_id: str) -> None:
        now = asyncio.get_running_loop().time()
        call = Call(self, Dialog.from_invite(invite, node_id, now), offer=invite.sdp)
        if len(self._open) >= MAX_CALLS:
            self._background.spawn(call.hangup("USER_BUSY"))
        elif why := self._refusal(invite.sdp):
            logger.warning("A call of %s does not ring: %s", call.leg.from_, why)
            self._background.spawn(call.hangup("INCOMPATIBLE_DESTINATION"))
        else:
            self._add(call)

    def _refusal(self, offer: str) -> str:
        """Return the reason why our media cannot answer the offer, so that the call is refused before an answer."""
        return self.media.refusal(offer) if isinstance(self.media, JudgingMedia) else ""

    def _attached(self, attach: m.Attach, node_id: str) -> None:
        """Resume a call of an earlier process with a new peer connection, or end it."""
        known = next((call for call in self.known_calls if call.id == attach.callID), KnownCall(attach.callID))
        to = known.to or attach.callee_id_number or attach.caller_id_number
        leg = CallLeg(attach.callID, "outbound", to=to, node_id=node_id, reattach=True)
        call = Call(self, Dialog(leg))
        if not self._take_up_calls or len(self._open) >= MAX_CALLS:
            logger.info("The service still holds a call of an earlier process; it is ended.")
            self._background.spawn(call.hangup("NORMAL_TEMPORARY_FAILURE"))
            return
        self._add(call)
        self._background.spawn(self._reattach(call, known))

    async def _reattach(self, call: Call, known: KnownCall) -> None:
        try:
            await call.start(known.media)
        except CallError as error:
            logger.info("A call of the last session could not be taken up: %s", error)

    def _add(self, call: Call) -> WebRTCCall:
        self._open[call] = shown = WebRTCCall(call)
        self._list_calls()
        self.added.emit(shown)
        for kind in self._not_sent:
            call.mutes.switch(kind, False, "client")
        call.status.stream.subscribe(lambda status: self._status_changed(call, status))
        return shown

    def _status_changed(self, call: Call, status: CallStatus) -> None:
        if status in {CallStatus.CONNECTED, CallStatus.DISCONNECTED, CallStatus.DISCONNECTING, CallStatus.FAILED}:
            self._store.keep_calls(
                [known_call(other) for other in self._open if other.status.value is CallStatus.CONNECTED]
            )
        if status is CallStatus.DESTROYED:
            del self._open[call]
            self._list_calls()

    def _list_calls(self) -> None:
        calls = tuple(self._open.values())
        self.open.set(calls)
        self.incoming.set(tuple(call for call in calls if call.direction == "inbound"))


def known_call(call: Call) -> KnownCall:
    """Return the record from which a later process resumes a call."""
    far_end = call.leg.to if call.leg.direction == "outbound" else call.leg.from_
    media = call.slot.options
    sent, received = (media.audio, media.video), (media.receive_audio, media.receive_video)
    return KnownCall(call.leg.call_id, call.leg.node_id, far_end, *sent, *received)


def _call_id(params: Mapping[str, Any]) -> str:
    """Return the id of the call that a Verto message is about, from any place that holds it."""
    dialog_params = params.get("dialogParams")
    inner = dialog_params.get("callID") if isinstance(dialog_params, dict) else None
    call_id = params.get("callID") or inner
    if not isinstance(call_id, str):
        raise BadFrameError("A Verto message names no call; it is skipped.")
    return call_id
