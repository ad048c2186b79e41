"""A call: joins its dialog and its media, and passes to each part what concerns it (protocol.md §5)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from intercom.signalwire.call.dialog.dialog import Dialog
from intercom.signalwire.call.dialog.events import (
    CallStatus,
    DialogEvent,
    DigitsReceived,
    Ended,
    FarAnswered,
    FarHeld,
    FarOffered,
    InfoReceived,
    MediaParamsReceived,
    MessageIgnored,
    StatusChanged,
    TransferAsked,
)
from intercom.signalwire.call.dialog.run import DialogRun
from intercom.signalwire.call.hold import Holds, holds
from intercom.signalwire.call.keys import Keys
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.media_monitor import MediaMonitor
from intercom.signalwire.call.media_options import AskedMedia, MediaOptions
from intercom.signalwire.call.media_recovery import MediaRecovery
from intercom.signalwire.call.media_slot import MediaSlot, described
from intercom.signalwire.call.members.methods import CallMethods
from intercom.signalwire.call.members.orders import Orders
from intercom.signalwire.call.members.room import Room
from intercom.signalwire.call.mutes import Mutes
from intercom.signalwire.errors import (
    BadFrameError,
    CallError,
    InvalidStateError,
    MediaAccessError,
    MediaError,
    SignalWireError,
)
from intercom.signalwire.media import CallMedia, ConstrainableMedia, RestartableMedia
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.signalwire.wire import messages as m
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)


class Call:
    """One call and its parts; `WebRTCCall` shows it to the program, and `Calls` works it."""

    def __init__(self, line: CallLine, dialog: Dialog, *, offer: str = "") -> None:
        self.dialog = dialog
        self.leg = dialog.leg
        self.status: Value[CallStatus] = Value(dialog.status)
        self.info: Happenings[dict[str, Any]] = Happenings()
        """Messages of the far end's application."""
        self.transfers: Happenings[str] = Happenings()
        """Addresses that the far end asks us to call in its place."""
        self.media_params: Happenings[dict[str, Any]] = Happenings()
        """Media constraints that the service asks for."""
        self.events: Happenings[m.Event] = Happenings()
        """All events of this call."""
        self.run = DialogRun(line, dialog, self._handle)
        self.slot = MediaSlot(line, dialog.leg.call_id)
        self.keys = Keys(line, self.run, self.slot)
        self.mutes = Mutes(self.slot)
        self.holds = Holds(self.run, self.slot)
        self.recovery = MediaRecovery(line, self.run, self.slot, self.mutes)
        self.monitor = MediaMonitor(self.run, self.slot, self.holds, self.recovery)
        self.methods = CallMethods(line, dialog.leg)
        self.orders = Orders(self.mutes, self.slot, others_may_mute=line.others_may_mute)
        self.room = Room(self.methods, self.orders)
        self._line = line
        self._offer = offer
        self._background = TaskSet(task_failed)
        self._closing: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._layouts_are_due = False
        self.status.stream.subscribe(self._follow_status)

    # -- what it does ----------------------------------------------------------------------------------

    async def start(self, options: MediaOptions) -> None:
        """Call the far end; returns when the service has the call, raises `CallError` when it will not."""
        await self._set_up(self._invite(options), "ORIGINATOR_CANCEL")

    async def answer(self, asked: AskedMedia) -> None:
        """Accept an inbound call; see `WebRTCCall.answer`."""
        direction, status = self.leg.direction, self.status.value
        if direction != "inbound" or status is not CallStatus.RINGING or self.slot.media is not None:
            raise InvalidStateError(f"This {direction} call is {status}; there is nothing to answer.")
        options = self._line.choose_media(self.leg.to, asked)
        await self._set_up(self._accept(options), "NORMAL_CLEARING")

    async def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call; returns when its media is closed. A call that has ended stays as it is."""
        self.run.end(cause)
        await self._gone.wait()

    async def send_info(self, info: dict[str, Any]) -> None:
        """Send a message to the far end's application; returns when the service has it."""
        await self.run.request(lambda dialog: dialog.info(info))

    async def wait_destroyed(self) -> None:
        """Wait until nothing is left of the call."""
        await self._gone.wait()

    # -- what its client tells it ----------------------------------------------------------------------

    def receive(self, message: m.VertoMessage, node_id: str) -> None:
        """Take a Verto message of this call."""
        self.run.tell(lambda dialog: dialog.receive(message, node_id, self.run.now()))

    def receive_event(self, event: m.Event) -> None:
        """Take an event that may be about this call."""
        call_id, state = event.params.get("call_id"), event.params.get("call_state")
        if event.event_type == "call.state" and state == "ringing" and call_id == self.leg.call_id:
            self.run.tell(lambda dialog: dialog.far_rings())
        if not self.room.is_about(event.params, self.leg.aliases):
            return
        if event.event_type == "call.joined":
            self.leg.joined(event.params)
        if self.leg.member_id:
            self.room.know_me(self.leg.member_id)
        try:
            self.room.receive(event)
        except BadFrameError as error:
            self.run.errors.emit(error)
        if event.event_type == "call.joined":
            self._layouts_are_due = self.room.may_set_layout
            self._load_layouts_beside_no_handshake()
        self.events.emit(event)

    def session_lost(self) -> None:
        """End a ringing call: the service began a new session."""
        self.run.tell(lambda dialog: dialog.session_lost())

    def network_changed(self) -> None:
        """Check at once whether audio still arrives: this machine's links or addresses changed."""
        self.monitor.doubt()
        self.recovery.network_changed()

    def service_changed(self, reachable: bool) -> None:
        """Note that the signalling was lost, or is back."""
        if reachable:
            self.monitor.doubt()
        self.recovery.service_changed(reachable)

    # -- the dialog ------------------------------------------------------------------------------------

    async def _invite(self, options: MediaOptions) -> None:
        offer = await described(self._open_media(options).create_offer())
        await self._request(lambda dialog: dialog.invite(offer, self.run.now()))

    async def _accept(self, options: MediaOptions) -> None:
        answer = await described(self._open_media(options).create_answer(self._offer))
        await self._request(lambda dialog: dialog.answer(answer, self.run.now()))

    async def _request(self, make: Callable[[Dialog], int]) -> None:
        if self.dialog.is_over:
            raise self._ended_error()
        await self.run.request(make)

    async def _set_up(self, work: Awaitable[None], cause_if_cancelled: str) -> None:
        """Wait for the call to be dialled or answered; raises `CallError`, and ends the call, when it cannot be."""
        try:
            await work
        except SignalWireError as error:
            await self._abandon(error)
            raise self._ended_error(error) from error
        except asyncio.CancelledError:
            self.run.end(cause_if_cancelled)
            raise

    async def _abandon(self, error: SignalWireError) -> None:
        """End a call that could not be dialled or answered, if it has not ended by itself."""
        self.run.errors.emit(error)
        if isinstance(error, MediaError):
            self.run.tell(lambda dialog: dialog.media_failed())
        else:
            self.run.tell(lambda dialog: dialog.bye("NORMAL_TEMPORARY_FAILURE"))
        await self._gone.wait()

    def _ended_error(self, reason: SignalWireError | None = None) -> CallError:
        cause = self.dialog.end_cause or "NORMAL_TEMPORARY_FAILURE"
        why = f": {reason}" if reason else "."
        return CallError(f"The call to {self.leg.to or 'us'} ended, {cause}{why}", cause=cause)

    def _handle(self, event: DialogEvent) -> None:
        match event:
            case StatusChanged(status):
                self.status.set(status)
                if status is CallStatus.DESTROYED:
                    self._finish()
            case FarAnswered(sdp):
                self._background.spawn(self._accept_answer(sdp))
            case DigitsReceived(digits):
                self.keys.receive(digits, "signalling")
            case InfoReceived(info):
                self.info.emit(info)
            case FarOffered(sdp):
                self._background.spawn(self._answer_update(sdp))
            case FarHeld(held):
                self.holds.far_holds("word", held)
                self.orders.hold(held)
            case TransferAsked(destination):
                self.transfers.emit(destination)
            case MediaParamsReceived(params):
                self._media_params_asked(params)
            case Ended():
                self._closing = asyncio.get_running_loop().create_task(self._close_media())
            case MessageIgnored(reason):
                logger.debug("%s", reason)

    def _follow_status(self, status: CallStatus) -> None:
        self.monitor.follow(status)
        self._load_layouts_beside_no_handshake()
        if self.dialog.is_over:
            self.recovery.stop()

    def _finish(self) -> None:
        self.run.close()
        self._gone.set()
        own: list[Happenings[Any]] = [self.status, self.info, self.run.errors, self.media_params, self.transfers]
        parts = (self.keys, self.holds, self.mutes, self.monitor, self.recovery, self.room)
        for stream in [*own, *(stream for part in parts for stream in part.streams()), self.events]:
            stream.complete()

    def _load_layouts_beside_no_handshake(self) -> None:
        """Load the layouts once the call is connected: until then its handshake needs the event loop."""
        if self._layouts_are_due and self.status.value is CallStatus.CONNECTED:
            self._layouts_are_due = False
            self._background.spawn(self._load_layouts())

    async def _load_layouts(self) -> None:
        try:
            await self.room.load_layouts()
        except SignalWireError as error:
            self.run.errors.emit(error)

    # -- the media -------------------------------------------------------------------------------------

    def _open_media(self, options: MediaOptions) -> CallMedia:
        try:
            media = self.slot.open(options)
        except MediaAccessError as error:
            if not options.may_only_receive:
                raise
            logger.warning("%s The call goes on and only receives.", error)
            self.run.errors.emit(error)
            media = self.slot.open(options.receive_only())
        self.slot.follow(media.state_stream, self._media_changed)
        self.keys.listen(media)
        self.mutes.apply()
        return media

    def _media_changed(self, state: str) -> None:
        self.run.tell(lambda dialog: dialog.media(state, self.run.now()))
        self.recovery.media_changed(state)

    def _media_params_asked(self, params: dict[str, Any]) -> None:
        self.media_params.emit(params)
        if isinstance(self.slot.media, ConstrainableMedia):
            for kind in ("audio", "video"):
                if isinstance(params.get(kind), dict):
                    self.slot.media.apply_constraints(kind, params[kind])

    async def _accept_answer(self, sdp: str) -> None:
        assert self.slot.media is not None, "an invite had its offer from somewhere"
        try:
            await self.slot.media.accept_answer(sdp)
        except Exception as error:  # noqa: BLE001 - becomes the call's end and an event
            failure = MediaError(f"The far end's answer cannot be used: {error}")
            failure.__cause__ = error
            self.run.errors.emit(failure)
            self.run.tell(lambda dialog: dialog.media_failed())

    async def _answer_update(self, offer: str) -> None:
        self.holds.far_holds("offer", holds(offer))
        if not isinstance(self.slot.media, RestartableMedia):
            self.run.errors.emit(MediaError("The far end offers new media; this call's media cannot take it."))
            return
        try:
            answer = await described(self.slot.media.create_restart_answer(offer))
            await self.run.request(lambda dialog: dialog.answer_update(answer))
        except SignalWireError as error:
            self.run.errors.emit(error)

    async def _close_media(self) -> None:
        """Close the media; runs once, when the call has ended."""
        self._background.cancel()
        await self.slot.close()
        self.run.tell(lambda dialog: dialog.media_closed())
