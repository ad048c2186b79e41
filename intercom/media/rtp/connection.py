"""One peer connection of a call; a call that moves to a new one briefly has two.

aiortc cannot restart ICE, and a far end whose page was loaded anew has another certificate: in both cases the call
goes on over a new peer connection. It has a certificate of its own, which tells the far end that this is a new DTLS
association (RFC 8842 section 4), and the tracks' names of the old one, so that the far end's page keeps its stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aioice.ice import StunProtocol
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from intercom.media.camera.events import VideoEvent, VideoRefused
from intercom.media.camera.shared import Camera
from intercom.media.dtmf.telephone_event import MIME_TYPE, payloads
from intercom.media.errors import NoRelayError, SessionDescriptionError
from intercom.media.provider import USUAL, Sending
from intercom.media.rtp.audio_track import MicrophoneTrack
from intercom.media.rtp.hooks import (
    Take,
    TrackNames,
    keep_names,
    leave_picture_out,
    route_also,
    take_at_once,
    take_packets,
    tame_ice,
)
from intercom.media.rtp.inlet import Inlet
from intercom.media.rtp.packet import Packet
from intercom.media.rtp.packet_sender import PacketSender
from intercom.media.rtp.payload_types import PayloadTypes, encoder_for
from intercom.media.rtp.quick_start import addresses_read_once
from intercom.media.rtp.sdp import Description, polish
from intercom.media.rtp.sdp_exchange import UNREADABLE, accept_answer, accept_offer, is_same_path, lay_out_as
from intercom.media.rtp.sdp_redundancy import answer_redundancy, offer_redundancy
from intercom.media.video.sender import VideoSender, is_without_h264, prefer_h264

log = logging.getLogger(__name__)

CLOSE_DEADLINE_S = 2.0
"""Limit of closing a connection: aiortc's own close can hang after hours of running."""
CAMERA_AFTER_S = 0.01
"""Time that our description has to be sent before the camera starts."""
DIGIT_MS = 160
DIGIT_STEP_MS = 40
GAP_MS = 80
"""Pause between two keys, in ms: RFC 4733 and every telephone accept these durations; servers miss shorter ones."""
AUDIO_MIME_TYPES = ("audio/opus", "audio/PCMU", "audio/PCMA", MIME_TYPE)


class Connection:
    """A peer connection that sends one microphone track and one picture; use it on one event loop."""

    def __init__(
        self,
        ice_servers: Sequence[Mapping[str, Any]],
        *,
        relay_only: bool = False,
        audio: bool,
        camera: Camera | None,
        names: TrackNames,
        early_camera: bool,
        on_packet: Callable[[Connection, Packet, float], None],
        on_state: Callable[[Connection], None],
        on_video_event: Callable[[VideoEvent], None],
        sending: Sending = USUAL,
        clock: Callable[[], float],
    ) -> None:
        """The call's first connection fills `names`, the later ones obey them.

        `early_camera`: the camera starts once we are described and is warm when the far end answers; else at `show`.
        """
        self.track = MicrophoneTrack(encoder_for("opus", dtx=sending.dtx))
        self.payload_types = PayloadTypes()
        self.video: VideoSender | None = None
        self.why_no_video = "" if camera is not None else "the call has no video"
        self.opened_at = clock()
        self.negotiated_at: float | None = None
        """Time at which both descriptions were known, on the call's clock."""
        self.connected_at: float | None = None
        """Time at which ICE and DTLS were connected."""
        self._audio = audio
        self._sending = sending
        self._camera = camera
        self._names = names
        self._early_camera = early_camera
        self._on_packet = on_packet
        self._on_state = on_state
        self._on_video_event = on_video_event
        self._clock = clock
        self._configuration = RTCConfiguration()
        self.use_paths(ice_servers, relay_only=relay_only)
        self._peer = RTCPeerConnection(self._configuration)
        self._peer.on("connectionstatechange", self._state_changed)
        self._warming: asyncio.Handle | None = None
        self._sound: PacketSender | None = None
        self._take: Take = _nothing
        self._inlet: Inlet | None = None
        self._comes_by: StunProtocol | None = None
        self._is_left = False
        self._offer = ""
        self._description = ""

    def use_paths(self, ice_servers: Sequence[Mapping[str, Any]], *, relay_only: bool) -> None:
        """Set the STUN and TURN servers to use; aiortc reads them when the first section is added."""
        self._configuration.iceServers = servers(ice_servers)
        self._configuration.iceTransportPolicy = (
            RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        )

    @property
    def state(self) -> str:
        """State as aiortc names it: `new`, `connecting`, `connected`, `failed` or `closed`."""
        return str(self._peer.connectionState)

    @property
    def sender(self) -> RTCRtpSender:
        """The RTP sender of our audio."""
        return self._audio_transceiver.sender

    @property
    def _audio_transceiver(self) -> RTCRtpTransceiver:
        return next(t for t in self._peer.getTransceivers() if t.kind == "audio")

    def is_on(self, offer: str) -> bool:
        """Whether the far end's offer keeps this connection's ICE and DTLS: it then changes only the media."""
        remote = self._peer.remoteDescription
        return self.state == "connected" and remote is not None and is_same_path(offer, remote.sdp)

    # Negotiation

    async def create_offer(self, like: Connection | None = None) -> str:
        """Create our complete offer; it keeps the sections of `like`, the connection that it replaces."""
        layout = None if like is None else Description.parse(like._description)
        kinds = ["audio", "video"] if layout is None else [s.kind for s in layout.sections if s.port]
        for kind in kinds:
            self._add(kind)
        tame_ice(self._peer)
        keep_names(self._peer, self._names)
        offer = await self._peer.createOffer()
        if layout is not None:
            offer = RTCSessionDescription(lay_out_as(layout, offer.sdp, complete=False), "offer")
        await self._describe(offer)
        self._offer = polish(self._peer.localDescription.sdp)
        if self._sending.redundancy:
            self._offer = offer_redundancy(self._offer)
        self._description = self._offer if layout is None else lay_out_as(layout, self._offer, complete=True)
        return self._description

    async def accept_answer(self, answer: str) -> None:
        """Connect with the far end's answer to our offer; SessionDescriptionError says why it cannot be used."""
        accepted = accept_answer(answer, self._offer)
        self._note_refusal(accepted.why_no_video)
        await self._set_remote(accepted.text, "answer")
        self._begin(self._offer, accepted.text)

    async def create_answer(self, offer: str) -> str:
        """Create our complete answer to the far end's offer and connect; SessionDescriptionError says why not."""
        shown = any(transceiver.kind == "video" for transceiver in self._peer.getTransceivers())
        accepted = accept_offer(offer, video=self._camera is not None, vp8=self._makes_vp8, shown=shown)
        self._note_refusal(accepted.why_no_video)
        for kind in ["audio", "video"] if accepted.has_video else ["audio"]:
            self._add(kind)
        tame_ice(self._peer)
        await self._set_remote(accepted.text, "offer")
        if not accepted.has_video:
            leave_picture_out(self._peer)
        keep_names(self._peer, self._names)
        await self._describe(await self._peer.createAnswer())
        answer = polish(accepted.complete(self._peer.localDescription.sdp))
        if self._sending.redundancy:
            answer = answer_redundancy(answer, accepted.text)
        self._begin(answer, accepted.text)
        self._description = answer
        return answer

    async def _describe(self, description: RTCSessionDescription) -> None:
        with addresses_read_once():
            await self._peer.setLocalDescription(description)
        relays = self._configuration.iceTransportPolicy is RTCIceTransportPolicy.RELAY
        if relays and "a=candidate:" not in self._peer.localDescription.sdp:
            raise NoRelayError("the call keeps to relays, and no TURN server gave one; see that it runs and is reached")
        if self._early_camera and self._warming is None:
            # What is described now is sent first: a camera's start would hold the ring up.
            self._warming = asyncio.get_running_loop().call_later(CAMERA_AFTER_S, self._warm_up)

    def _warm_up(self) -> None:
        if self._peer.signalingState != "closed":  # it may be closed while it is described
            self.show()

    async def _set_remote(self, text: str, kind: str) -> None:
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(text, kind))
        except (OperationError, InvalidStateError, *UNREADABLE) as error:
            raise SessionDescriptionError(f"the far end's {kind} cannot be used: {error}") from error

    def _note_refusal(self, why_no_video: str) -> None:
        if self._camera is not None:
            self.why_no_video = why_no_video
            if why_no_video:
                self._on_video_event(VideoRefused(why_no_video))
                self.hide()

    def _add(self, kind: str) -> None:
        if any(transceiver.kind == kind for transceiver in self._peer.getTransceivers()):
            return
        if kind == "audio":
            self._add_audio()
        elif self._camera is not None:
            transceiver = self._peer.addTransceiver("video", "sendonly")  # a door has no screen: nothing to decode
            prefer_h264(transceiver, vp8=self._makes_vp8)
            PacketSender(transceiver.sender)

    def _add_audio(self) -> None:
        transceiver = self._peer.addTransceiver(self.track, "sendrecv" if self._audio else "recvonly")
        self._sound = PacketSender(transceiver.sender)
        capabilities = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [codec for wanted in AUDIO_MIME_TYPES for codec in capabilities if codec.mimeType == wanted]
        )
        handle = functools.partial(self._on_packet, self)
        self._take = take_packets(transceiver.receiver, handle, self.payload_types.clock_hz)

    def _begin(self, ours: str, theirs: str) -> None:
        """Begin to send and receive: both descriptions are known."""
        self.payload_types.learn(ours, theirs)
        self.track.repeat(self.payload_types.redundancy)
        if self.payload_types.redundant is not None:
            route_also(self._audio_transceiver.receiver, self.payload_types.redundant)
        if self.negotiated_at is None:
            take_at_once(self._audio_transceiver.receiver, self._take, self._came_by)
            self.track.use(encoder_for(self.payload_types.sent_codec, dtx=self._sending.dtx))
            self.negotiated_at = self._clock()
            self._choose_codec()

    def _state_changed(self) -> None:
        if self.state == "connected" and self.connected_at is None:
            self.connected_at = self._clock()
        self._on_state(self)

    def _came_by(self, protocol: StunProtocol) -> None:
        """Read from where the sound comes; on which of our sockets that is the far end decides."""
        if protocol is self._comes_by or self._is_left:
            return
        self._comes_by = protocol
        self._close_inlet()
        receiver = self._audio_transceiver.receiver
        with contextlib.suppress(OSError):  # on a relay, or without a free descriptor, all comes by the event loop
            self._inlet = Inlet(receiver, protocol, self._take, self.payload_types.is_known)

    def leave(self) -> None:
        """Stop the picture, and let the event loop take what still comes: nobody plays it any more."""
        self._is_left = True
        self._close_inlet()
        self.hide()

    def _close_inlet(self) -> None:
        if self._inlet is not None:
            self._inlet.close()
            self._inlet = None

    @property
    def takes_keys(self) -> bool:
        """Whether the far end is connected and has agreed to telephone events."""
        return self.payload_types.telephone_event is not None and self.state == "connected"

    async def send_digit(self, digit: str) -> bool:
        """Send a key as RFC 4733 events and wait for its pause; False when the far end does not accept them."""
        sender, number = self._sound, self.payload_types.telephone_event
        if number is None or sender is None or self.state != "connected":
            return False
        clock_hz = self.payload_types.clock_hz(number)
        at: int | None = None
        steps = payloads(digit, duration_ms=DIGIT_MS, step_ms=DIGIT_STEP_MS, clock_hz=clock_hz)
        for index, payload in enumerate(steps):
            try:
                at = sender.send_event(number, payload, begin=index == 0, timestamp=at)
            except ConnectionError as error:  # the call ended meanwhile
                log.info("a key was not sent: %s", error)
                return False
            if index < DIGIT_MS // DIGIT_STEP_MS - 1:
                await asyncio.sleep(DIGIT_STEP_MS / 1000)
        await asyncio.sleep(GAP_MS / 1000)
        return True

    def read(self) -> None:
        """Take the sound that has come, on the thread that plays it; while nobody does the event loop takes it."""
        inlet = self._inlet
        if inlet is not None:
            inlet.read()

    # The picture

    def show(self) -> None:
        """Send the camera's picture, beginning with a keyframe, if the call has one; the camera starts now."""
        transceiver = next((t for t in self._peer.getTransceivers() if t.kind == "video"), None)
        if self._camera is None or transceiver is None or self.why_no_video or self.video is not None:
            return
        self.video = VideoSender(transceiver.sender, self._camera, on_event=self._on_video_event, clock=self._clock)
        self._choose_codec()
        self.video.request_keyframe()

    @property
    def _makes_vp8(self) -> bool:
        return self._camera is not None and self._camera.vp8 is not None

    def _choose_codec(self) -> None:
        """Send VP8 from the first picture on if the far end, whose description is known, has no H.264."""
        if self.video is None or self._camera is None or self._camera.vp8 is None:
            return
        if any(t.kind == "video" and is_without_h264(t) for t in self._peer.getTransceivers()):
            self.video.use_vp8(self._camera.vp8)

    def hide(self) -> None:
        """Stop the picture and release the camera."""
        if self._warming is not None:
            self._warming.cancel()
        if self.video is not None:
            self.video.close()
            self.video = None

    # The end

    async def close(self) -> None:
        """Release everything within two seconds; harmless when the connection is closed."""
        self.track.stop()
        self.leave()
        closing = asyncio.ensure_future(self._peer.close())
        _, late = await asyncio.wait([closing], timeout=CLOSE_DEADLINE_S)
        if late:
            log.warning("a peer connection does not close; it is left behind")
            closing.cancel()
        elif closing.exception() is not None:
            log.warning("closing a peer connection failed: %s", closing.exception())


def _nothing(packet: Packet, age_s: float) -> None:
    """Ignore a packet: the connection has no sound."""


def servers(ice_servers: Sequence[Mapping[str, Any]]) -> list[RTCIceServer]:
    return [
        RTCIceServer(urls=server["urls"], username=server.get("username"), credential=server.get("credential"))
        for server in ice_servers
        if server.get("urls")
    ]
