"""One call's peer connection, and the provider that opens one for each call."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.rtcdtlstransport import RTCCertificate
from aiortc.rtp import RtpPacket
from reactivex import Observable
from reactivex.subject import BehaviorSubject, Subject

from intercom.media.audio_track import MicrophoneTrack
from intercom.media.call_stats import CallStats, audio_bitrate_bps, expected_loss_percent
from intercom.media.camera_events import VideoEvent, VideoRefused
from intercom.media.camera_shared import Camera
from intercom.media.engine import AudioEngine
from intercom.media.errors import CallEndedError, SessionDescriptionError
from intercom.media.events import CallConnected, CallEvent, CallFailed, MediaReturned, MediaSilent
from intercom.media.far_end import FarEndSound
from intercom.media.opus import BITRATE_BPS
from intercom.media.payload import PayloadTypes, encoder_for
from intercom.media.rtp_hooks import AudioTransport, know_telephone_events, own_transport, take_packets, tame_ice
from intercom.media.sdp import polish
from intercom.media.sdp_exchange import UNREADABLE, accept_answer, accept_offer
from intercom.media.telephone_event import MIME_TYPE, payloads
from intercom.media.video_sender import VideoSender, attach_camera

__all__ = ["CallStats", "DoorCall", "DoorMedia"]

log = logging.getLogger(__name__)

CONNECT_DEADLINE_S = 15.0
"""From both descriptions to ICE and DTLS: beyond this nobody waits at a door."""
SILENT_S = 3.0
"""Even a muted far end sends; without a packet for so long the path is gone."""
CLOSE_DEADLINE_S = 2.0
"""aiortc's own close can hang after hours."""
WATCH_S = 0.25
ADAPT_EVERY = 4
"""Watches between two looks at what the far end reports."""
DIGIT_MS = 160
DIGIT_STEP_MS = 40
GAP_MS = 80
"""RFC 4733 and every telephone accept these; servers miss shorter ones."""
AUDIO_MIME_TYPES = ("audio/opus", "audio/PCMU", "audio/PCMA", MIME_TYPE)


class DoorMedia:
    """Opens the media of calls: the engine's sound, and a camera's picture where there is one."""

    def __init__(
        self,
        engine: AudioEngine,
        camera_factory: Callable[[], Camera | None] | None = None,
        *,
        on_event: Callable[[CallEvent | VideoEvent], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_event` is called on the event loop; `camera_factory` once for every call with video."""
        self._engine = engine
        self._camera_factory = camera_factory
        self._on_event = on_event
        self._clock = clock
        self._calls: WeakValueDictionary[str, DoorCall] = WeakValueDictionary()
        know_telephone_events()
        RTCCertificate.generateCertificate()  # the first takes 10 ms, which no call is to wait for

    def open(
        self, call_id: str, ice_servers: Sequence[Mapping[str, Any]], *, audio: bool = True, video: bool = True
    ) -> DoorCall:
        """A call that is neither offered nor answered yet. `ice_servers` as in W3C's RTCIceServer; may be empty."""
        camera = self._camera_factory() if video and self._camera_factory is not None else None
        call = DoorCall(
            call_id,
            _servers(ice_servers),
            self._engine,
            camera,
            audio=audio,
            on_event=self._on_event,
            clock=self._clock,
        )
        self._calls[call_id] = call
        return call

    def stats(self, call_id: str) -> CallStats | None:
        """How a call's media does, or did last; None when nobody holds the call any more."""
        call = self._calls.get(call_id)
        return None if call is None else call.stats()


def _servers(ice_servers: Sequence[Mapping[str, Any]]) -> list[RTCIceServer]:
    return [
        RTCIceServer(urls=server["urls"], username=server.get("username"), credential=server.get("credential"))
        for server in ice_servers
        if server.get("urls")
    ]


class DoorCall:
    """One call: sound both ways, a picture out, digits in and out. Use it on one event loop."""

    def __init__(
        self,
        call_id: str,
        ice_servers: list[RTCIceServer],
        engine: AudioEngine,
        camera: Camera | None,
        *,
        audio: bool,
        on_event: Callable[[CallEvent | VideoEvent], None],
        clock: Callable[[], float],
    ) -> None:
        self._call_id = call_id
        self._engine = engine
        self._camera = camera
        self._audio = audio
        self._on_event = on_event
        self._clock = clock
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=ice_servers))
        self._connection.on("connectionstatechange", self._connection_changed)
        self._state = BehaviorSubject("new")
        self._digits: Subject[str] = Subject()
        self._payload_types = PayloadTypes()
        self._far_end = FarEndSound(self._digits.on_next, clock)
        self._track: MicrophoneTrack | None = None
        self._transport: AudioTransport | None = None
        self._video: VideoSender | None = None
        self._why_no_video = "" if camera is not None else "the call has no video"
        self._offer = ""
        self._watch: asyncio.Task[None] | None = None
        self._sending_digits = asyncio.Lock()
        self._negotiated_at = 0.0
        self._connected_at: float | None = None
        self._silent = False
        self._closed = False
        self._round_trip_s: float | None = None
        self._far_loss = 0.0
        self._bitrate_bps = BITRATE_BPS

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `failed` or `closed`."""
        return str(self._state.value)

    @property
    def state_stream(self) -> Observable[str]:
        """The state now and every change of it."""
        return self._state

    @property
    def digits_stream(self) -> Observable[str]:
        """Every key that the far end presses, once: sent as RFC 4733 events, or as tones where it cannot."""
        return self._digits

    # Negotiation

    async def create_offer(self) -> str:
        """Our complete offer, within about 600 ms whatever the STUN and TURN servers do."""
        self._must_be_open()
        self._add_audio()
        if self._camera is not None:
            self._add_video(self._camera)
        tame_ice(self._connection)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        self._offer = polish(self._connection.localDescription.sdp)
        return self._offer

    async def accept_answer(self, answer: str) -> None:
        """The far end took the offer: connect. SessionDescriptionError says why the answer cannot be used."""
        self._must_be_open()
        accepted = accept_answer(answer, self._offer)
        self._note_refusal(accepted.why_no_video)
        await self._set_remote(accepted.text, "answer")
        self._begin()

    async def create_answer(self, offer: str) -> str:
        """Our complete answer to the far end's offer, and connect. SessionDescriptionError says why it cannot be."""
        self._must_be_open()
        accepted = accept_offer(offer, video=self._camera is not None)
        self._note_refusal(accepted.why_no_video)
        self._add_audio()
        if self._camera is not None and accepted.has_video:
            self._add_video(self._camera)
        await self._set_remote(accepted.text, "offer")
        tame_ice(self._connection)
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        self._begin()
        return polish(accepted.complete(self._connection.localDescription.sdp))

    async def _set_remote(self, text: str, kind: str) -> None:
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(text, kind))
        except (OperationError, InvalidStateError, *UNREADABLE) as error:
            raise SessionDescriptionError(f"the far end's {kind} cannot be used: {error}") from error

    def _note_refusal(self, why_no_video: str) -> None:
        if self._camera is not None and why_no_video:
            self._why_no_video = why_no_video
            self._on_event(VideoRefused(why_no_video))
            if self._video is not None:
                self._video.close()
                self._video = None

    def _add_audio(self) -> None:
        self._track = MicrophoneTrack(encoder_for("opus"))
        transceiver = self._connection.addTransceiver(self._track, "sendrecv" if self._audio else "recvonly")
        capabilities = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [codec for wanted in AUDIO_MIME_TYPES for codec in capabilities if codec.mimeType == wanted]
        )
        take_packets(transceiver.receiver, self._receive, self._payload_types.clock_hz)

    def _add_video(self, camera: Camera) -> None:
        transceiver = self._connection.addTransceiver("video", "sendonly")
        self._video = attach_camera(transceiver, camera, on_event=self._on_event, clock=self._clock)

    def _begin(self) -> None:
        """Both descriptions are known: run the card while ICE and DTLS connect, so that the first packet has sound."""
        assert self._track is not None
        self._payload_types.learn(self._connection.localDescription.sdp, self._connection.remoteDescription.sdp)
        self._track.use(encoder_for(self._payload_types.sent_codec))
        if self._payload_types.telephone_event is None:
            self._far_end.listen_for_keys()
        self._transport = own_transport(self._connection.getTransceivers()[0].sender)
        self._negotiated_at = self._clock()
        self._engine.connect(self._far_end, self._track)
        self._watch = asyncio.create_task(self._watch_over(), name=f"call {self._call_id}")

    # Sound in

    def _receive(self, packet: RtpPacket) -> None:
        self._far_end.receive(packet, self._payload_types.name(packet.payload_type))

    # What may go wrong

    def _connection_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected" and self._connected_at is None:
            self._connected_at = self._clock()
            self._on_event(CallConnected(self._call_id, self._connected_at - self._negotiated_at))
        if state == "failed":
            self._fail("the connection to the far end broke")
        elif not self._closed and self.state not in {"failed", "closed", state}:
            self._state.on_next(state)

    def _fail(self, reason: str) -> None:
        if self.state not in {"failed", "closed"}:
            log.warning("call %s: %s", self._call_id, reason)
            self._state.on_next("failed")
            self._on_event(CallFailed(self._call_id, reason))

    async def _watch_over(self) -> None:
        watches = 0
        while not self._closed:
            await asyncio.sleep(WATCH_S)
            now = self._clock()
            if self._connected_at is None:
                if now - self._negotiated_at > CONNECT_DEADLINE_S:
                    self._fail(f"no connection within {CONNECT_DEADLINE_S:.0f} s")
                    return
                continue
            self._watch_silence(now, self._connected_at)
            watches += 1
            if watches % ADAPT_EVERY == 0:
                await self._adapt()

    def _watch_silence(self, now: float, connected_at: float) -> None:
        silent_s = now - max(connected_at, self._far_end.last_packet_at)
        if silent_s > SILENT_S and not self._silent:
            self._silent = True
            log.warning("call %s: nothing received for %.1f s", self._call_id, silent_s)
            self._on_event(MediaSilent(self._call_id, silent_s))
        elif silent_s <= SILENT_S and self._silent:
            self._silent = False
            log.info("call %s: media is back", self._call_id)
            self._on_event(MediaReturned(self._call_id, self._far_end.last_gap_s))

    async def _adapt(self) -> None:
        """Follow what the far end reports of our sound: redundancy by loss, bits by quality."""
        report = await self._connection.getTransceivers()[0].sender.getStats()
        for entry in report.values():
            if entry.type == "remote-inbound-rtp":
                self._round_trip_s = entry.roundTripTime
                self._far_loss = 0.7 * self._far_loss + 0.3 * entry.fractionLost / 256
        self._bitrate_bps = audio_bitrate_bps(self._far_loss)
        if self._track is not None:
            self._track.adapt(bitrate_bps=self._bitrate_bps, loss_percent=expected_loss_percent(self._far_loss))

    # Digits out

    async def send_digits(self, digits: str) -> bool:
        """Send keys as RFC 4733 events, one after another; False when the far end does not take them."""
        number = self._payload_types.telephone_event
        if number is None or self._transport is None or self.state != "connected":
            return False
        clock_hz = self._payload_types.clock_hz(number)
        async with self._sending_digits:
            for digit in digits:
                at: int | None = None
                for index, payload in enumerate(
                    payloads(digit, duration_ms=DIGIT_MS, step_ms=DIGIT_STEP_MS, clock_hz=clock_hz)
                ):
                    at = await self._transport.send_event(number, payload, begin=index == 0, timestamp=at)
                    if index < DIGIT_MS // DIGIT_STEP_MS - 1:
                        await asyncio.sleep(DIGIT_STEP_MS / 1000)
                await asyncio.sleep(GAP_MS / 1000)
        return True

    # State

    def request_keyframe(self) -> None:
        """Ask the camera for a whole picture: somebody just began to look."""
        if self._video is not None:
            self._video.request_keyframe()

    def stats(self) -> CallStats:
        """How it does now."""
        connected_ms = None if self._connected_at is None else (self._connected_at - self._negotiated_at) * 1000
        return CallStats(
            state=self.state,
            codec=self._payload_types.sent_codec,
            connect_ms=connected_ms,
            far_end=self._far_end.stats(),
            sent_packets=self._track.sent if self._track is not None else 0,
            round_trip_ms=None if self._round_trip_s is None else self._round_trip_s * 1000,
            far_loss_percent=self._far_loss * 100,
            bitrate_bps=self._bitrate_bps,
            video=self._video.stats() if self._video is not None else None,
            why_no_video=self._why_no_video if self._video is None else "",
        )

    def _must_be_open(self) -> None:
        if self._closed:
            raise CallEndedError(f"call {self._call_id} is closed")

    async def close(self) -> None:
        """Give everything back, within two seconds; harmless when it is closed."""
        if self._closed:
            return
        self._closed = True
        if self._track is not None:
            self._engine.disconnect(self._track)
            self._track.stop()
        if self._watch is not None:
            self._watch.cancel()
        if self._video is not None:
            self._video.close()
        closing = asyncio.ensure_future(self._connection.close())
        _, late = await asyncio.wait([closing], timeout=CLOSE_DEADLINE_S)
        if late:
            log.warning("call %s: the connection does not close; it is left behind", self._call_id)
            closing.cancel()
        elif closing.exception() is not None:
            log.warning("call %s: closing failed: %s", self._call_id, closing.exception())
        self._state.on_next("closed")
        self._state.on_completed()
        self._digits.on_completed()
