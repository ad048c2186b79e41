"""Joins a call's dialog and its media, and shows their state to the program (protocol.md §5)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from intercom.signalwire.call.dialog import Dialog
from intercom.signalwire.call.dialog_events import (
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
    RequestConcluded,
    StatusChanged,
    TransferAsked,
    VertoRequest,
)
from intercom.signalwire.call.digit_merge import DigitMerge, KeyPress
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.view import CallView
from intercom.signalwire.errors import CallError, InvalidStateError, MediaError, SignalWireError
from intercom.signalwire.media import CallMedia, DigitMedia, KeyMedia, PathMedia, RestartableMedia, ToneMedia
from intercom.signalwire.observable import Happenings, report_fault, task_failed
from intercom.signalwire.wire import messages as m
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
"""Time limit for closing a peer connection: aiortc's may hang for hours and must not hold the call."""
DESCRIBE_TIMEOUT_S = 6.0
"""Time limit for a description (reference client); gathering is done within 600 ms."""


class BasicCall(CallView):
    """Dials, answers and ends a call; sends and receives digits and messages. `WebRTCCall` adds the rest."""

    def __init__(self, line: CallLine, dialog: Dialog, *, offer: str = "") -> None:
        super().__init__(dialog)
        self._kinds = (True, True)
        self._line = line
        self._offer = offer
        self._media: CallMedia | None = None
        self._subscriptions: list[Any] = []
        self._conclusions: dict[int, asyncio.Future[Any]] = {}
        self._request_ids: dict[int, str] = {}
        self._merge = DigitMerge()
        self._background = TaskSet(task_failed)
        self._closing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._gone = asyncio.Event()
        self._arm()

    @property
    def media_kinds(self) -> tuple[bool, bool]:
        """Whether the call has (audio, video)."""
        return self._kinds

    # -- what it does ----------------------------------------------------------------------------------

    async def start(self, *, audio: bool = True, video: bool = True) -> None:
        """Call the far end; returns when the service has the call, raises `CallError` when it will not."""
        try:
            media = self._open_media(audio=audio, video=video)
            offer = await self._from_media(media.create_offer())
            if self._dialog.is_over:
                raise self._ended_error()
            await self._request(lambda dialog: dialog.invite(offer, self._now()))
        except SignalWireError as error:
            await self._abandon(error)
            raise self._ended_error(error) from error
        except asyncio.CancelledError:
            self._end("ORIGINATOR_CANCEL")
            raise

    async def answer(self, audio: bool = True, video: bool = True) -> None:
        """Accept an inbound call; returns when the answer is confirmed. Raises `InvalidStateError` when there is
        nothing (more) to accept, `CallError` when it ended meanwhile.
        """
        if self.direction != "inbound" or self.status is not CallStatus.RINGING or self._media is not None:
            raise InvalidStateError(f"This {self.direction} call is {self.status}; there is nothing to answer.")
        try:
            media = self._open_media(audio=audio, video=video)
            answer = await self._from_media(media.create_answer(self._offer))
            if self._dialog.is_over:
                raise self._ended_error()
            await self._request(lambda dialog: dialog.answer(answer, self._now()))
        except SignalWireError as error:
            await self._abandon(error)
            raise self._ended_error(error) from error
        except asyncio.CancelledError:
            self._end("NORMAL_CLEARING")
            raise

    async def reject(self, cause: str = "USER_BUSY") -> None:
        """Refuse an inbound call."""
        await self.hangup(cause)

    async def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call; returns when its media is closed. A call that has ended stays as it is."""
        self._end(cause)
        await self._gone.wait()

    async def send_digits(self, digits: str, *, way: Literal["signalling", "media"] | None = None) -> None:
        """Send DTMF digits (0-9, *, #, A-D).

        By verto.info, as the JavaScript SDK does, which the service turns into what the far end understands: returns
        when it has them. In the sound (RFC 4733) where `way` says "media", and by itself while the service is out of
        reach: returns when they are sent. Never both ways, for FreeSWITCH takes that for two presses.
        """
        if way is None:
            way = "signalling" if self._line.reachable or not self._takes_keys() else "media"
        if way == "signalling":
            await self._request(lambda dialog: dialog.digits(digits))
            return
        digits = self._dialog.sendable(digits)
        if not (isinstance(self._media, KeyMedia) and await self._media.send_digits(digits)):
            raise InvalidStateError("This call's sound carries no digits (RFC 4733); send them by signalling.")

    def _takes_keys(self) -> bool:
        return isinstance(self._media, KeyMedia) and self._media.takes_keys

    async def send_info(self, info: dict[str, Any]) -> None:
        """Send a message to the far end's application; returns when the service has it."""
        await self._request(lambda dialog: dialog.info(info))

    # -- what its client tells it ----------------------------------------------------------------------

    def receive(self, message: m.VertoMessage, node_id: str) -> None:
        """Take a Verto message of this call."""
        self._dialog.receive(message, node_id, self._now())
        self._pump()

    def receive_event(self, event: m.Event) -> None:
        """Take an event that may be about this call."""
        call_id, state = event.params.get("call_id"), event.params.get("call_state")
        if event.event_type == "call.state" and state == "ringing" and call_id == self.id:
            self._dialog.far_rings()
            self._pump()

    def session_lost(self) -> None:
        """End a ringing call: the service began a new session."""
        self._dialog.session_lost()
        self._pump()

    @property
    def aliases(self) -> set[str]:
        """Return every id under which the service knows the call."""
        return self._dialog.aliases

    async def wait_destroyed(self) -> None:
        """Wait until nothing is left of the call."""
        await self._gone.wait()

    # -- requests --------------------------------------------------------------------------------------

    async def _request(self, make: Callable[[Dialog], int]) -> Any:
        """Make a request through the dialog, and wait for the service's innermost answer."""
        key = make(self._dialog)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._conclusions[key] = future
        self._pump()
        try:
            return await future
        finally:
            self._conclusions.pop(key, None)

    def _submit(self, request: VertoRequest) -> None:
        try:
            request_id, future = self._line.submit_verto(request)
        except SignalWireError as error:
            self._dialog.concluded(request.key, None, error)
            return
        self._request_ids[request.key] = request_id
        future.add_done_callback(lambda done: self._concluded(request.key, done))

    def _concluded(self, key: int, future: asyncio.Future[Any]) -> None:
        self._request_ids.pop(key, None)
        if not future.cancelled():
            error = future.exception()
            assert error is None or isinstance(error, SignalWireError)
            self._dialog.concluded(key, None if error else future.result(), error)
            self._pump()

    # -- the dialog ------------------------------------------------------------------------------------

    def _end(self, cause: str) -> None:
        self._dialog.bye(cause)
        self._withdraw()
        self._pump()

    def _withdraw(self) -> None:
        """Cancel the requests that still wait for the connection, except for the bye."""
        for key, request_id in list(self._request_ids.items()):
            if self._line.cancel(request_id):
                del self._request_ids[key]
                self._dialog.concluded(key, None, CallError("The call ended before this left."))

    def _pump(self) -> None:
        """Pass on the dialog's events and requests until it has no more."""
        while True:
            events = self._dialog.events()
            requests = self._dialog.requests_to_send()
            if not events and not requests:
                break
            for request in requests:
                self._submit(request)
            for event in events:
                self._handle(event)
        self._arm()

    def _handle(self, event: DialogEvent) -> None:
        match event:
            case StatusChanged(status):
                self._status.set(status)
                if status is CallStatus.DESTROYED:
                    self._finish()
            case FarAnswered(sdp):
                self._background.spawn(self._accept_answer(sdp))
            case DigitsReceived(digits):
                self._pressed(digits, "signalling")
            case InfoReceived(info):
                self._info.emit(info)
            case FarOffered(sdp):
                self._background.spawn(self._answer_update(sdp))
            case FarHeld(held):
                self._far_holds("word", held)
            case TransferAsked(destination):
                self._transfers.emit(destination)
            case MediaParamsReceived(params):
                self._media_params_asked(params)
            case Ended():
                self._closing = asyncio.get_running_loop().create_task(self._close_media())
            case RequestConcluded(key, result, error):
                self._settle(key, result, error)
            case MessageIgnored(reason):
                logger.debug("%s", reason)

    def _settle(self, key: int, result: Any, error: Exception | None) -> None:
        future = self._conclusions.get(key)
        if future is None or future.done():
            if isinstance(error, SignalWireError):
                self._errors.emit(error)
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _pressed(self, digits: str, way: Literal["signalling", "media"]) -> None:
        for digit in digits:
            if self._merge.is_new(digit, way, self._now()):
                echo_s = self._media.sent_key_s(digit) if isinstance(self._media, ToneMedia) else None
                self._digits.emit(digit)
                self._keys.emit(KeyPress(digit, way, echo_s))

    def _heard(self, digits: str) -> None:
        self._pressed(digits, "media")

    def _heard_tone(self, tone: tuple[str, float | None]) -> None:
        digit, echo_s = tone
        if echo_s is not None or self._merge.is_new(digit, "tones", self._now()):
            self._keys.emit(KeyPress(digit, "tones", echo_s))

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._gone.set()
        for stream in self._streams():
            stream.complete()

    def _streams(self) -> list[Happenings[Any]]:
        return [
            self._status,
            self._digits,
            self._keys,
            self._info,
            self._errors,
            self._media_params,
            self._far_held,
            self._transfers,
        ]

    def _media_params_asked(self, params: dict[str, Any]) -> None:
        self._media_params.emit(params)

    def _ended_error(self, reason: SignalWireError | None = None) -> CallError:
        cause = self.end_cause or "NORMAL_TEMPORARY_FAILURE"
        why = f": {reason}" if reason else "."
        return CallError(f"The call to {self.to or 'us'} ended, {cause}{why}", cause=cause)

    # -- the media -------------------------------------------------------------------------------------

    def _open_media(self, *, audio: bool, video: bool) -> CallMedia:
        try:
            media = self._line.media.open(self.id, self._line.ice_servers, audio=audio, video=video)
        except Exception as error:
            raise MediaError(f"The media of a call could not be opened: {error}") from error
        self._media = media
        if self._line.relay_only:
            self._keep_to_relays(media)
        self._kinds = (audio, video)
        self._subscriptions.append(media.state_stream.subscribe(self._media_changed))
        if isinstance(media, DigitMedia):
            self._subscriptions.append(media.digits_stream.subscribe(self._heard))
        if isinstance(media, ToneMedia):
            self._subscriptions.append(media.tones_stream.subscribe(self._heard_tone))
        return media

    def _keep_to_relays(self, media: CallMedia) -> None:
        if not isinstance(media, PathMedia):
            raise MediaError("This media provider cannot keep to relays; clear preferences.relay_only, or use another.")
        media.use_paths(self._line.ice_servers, relay_only=True)

    async def _from_media(self, work: Awaitable[str]) -> str:
        try:
            async with asyncio.timeout(DESCRIBE_TIMEOUT_S):
                return await work
        except Exception as error:
            raise MediaError(f"The media of a call failed: {error or type(error).__name__}") from error

    async def _accept_answer(self, sdp: str) -> None:
        assert self._media is not None, "an invite had its offer from somewhere"
        try:
            await self._media.accept_answer(sdp)
        except Exception as error:  # noqa: BLE001 - becomes the call's end and an event
            failure = MediaError(f"The far end's answer cannot be used: {error}")
            failure.__cause__ = error
            self._errors.emit(failure)
            self._dialog.media_failed()
            self._pump()

    async def _answer_update(self, offer: str) -> None:
        if not isinstance(self._media, RestartableMedia):
            self._errors.emit(MediaError("The far end offers new media; this call's media cannot take it."))
            return
        try:
            answer = await self._from_media(self._media.create_restart_answer(offer))
            await self._request(lambda dialog: dialog.answer_update(answer))
        except SignalWireError as error:
            self._errors.emit(error)

    def _media_changed(self, state: str) -> None:
        self._dialog.media(state, self._now())
        self._pump()

    async def _abandon(self, error: SignalWireError) -> None:
        """End a call that could not be made or answered, if it has not ended by itself."""
        self._errors.emit(error)
        if isinstance(error, MediaError):
            self._dialog.media_failed()
        else:
            self._dialog.bye("NORMAL_TEMPORARY_FAILURE")
        self._pump()
        await self._gone.wait()

    async def _close_media(self) -> None:
        """Close the media; runs once, when the call has ended."""
        self._background.cancel()
        media, self._media = self._media, None
        if media is not None:
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await media.close()
            except TimeoutError:
                logger.warning("The media of a call did not close within %s s; left behind.", CLOSE_TIMEOUT_S)
            except Exception as error:  # noqa: BLE001 - a provider's fault becomes the loop's event
                report_fault("The media of a call could not be closed", error)
        for subscription in self._subscriptions:
            subscription.dispose()
        self._dialog.media_closed()
        self._pump()

    # -- time ------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._dialog.next_deadline()
        if deadline is not None and not self._gone.is_set():
            self._timer = asyncio.get_running_loop().call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._dialog.tick(self._now())
        self._pump()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
