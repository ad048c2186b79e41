"""One viewer: a peer connection that sends the camera's picture, takes reports on it, and sound where it may."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, AnyRtcpPacket, RtcpPsfbPacket, RtcpRrPacket
from aiortc.sdp import candidate_from_sdp

from intercom.media.codec import h264, vp8
from intercom.media.codec.h264 import AccessUnit
from intercom.media.errors import SessionDescriptionError, ViewRefusedError
from intercom.media.rtp.connection import CLOSE_DEADLINE_S, servers
from intercom.media.rtp.hooks import tame_ice
from intercom.media.rtp.packet_sender import PacketSender
from intercom.media.rtp.sdp import Section, is_candidate, polish
from intercom.media.rtp.sdp_exchange import UNREADABLE, AcceptedOffer, accept_view
from intercom.media.sound.beside import BesideCall
from intercom.media.video.sender import h264_missing, path_estimate, prefer_h264
from intercom.media.video.track import CameraTrack, Pictures
from intercom.media.viewers.sound import ViewerSound
from intercom.media.viewers.thinning import Thinning

log = logging.getLogger(__name__)

KEYFRAME_EVERY_S = 1.0
"""Shortest interval between a viewer's keyframes that are asked for: all viewers, and the call, get each of them."""
CONNECT_DEADLINE_S = 10.0
"""Limit of the time from the answer to the connection: who has not come by then holds a place for nobody."""
MOST_CANDIDATES = 24
"""Limit of the candidates that a viewer names after its offer."""

_h264_packets = functools.lru_cache(maxsize=16)(h264.packetize)
_vp8_packets = functools.lru_cache(maxsize=16)(vp8.packetize)


class Viewer:
    """Sends the picture to one far end that watches, and may hear and speak; use it on one event loop."""

    def __init__(
        self,
        offer: str,
        ice_servers: Sequence[Mapping[str, Any]],
        *,
        h264: Pictures,
        vp8: Pictures | None,
        beside: BesideCall | None = None,
        is_forbidden: Callable[[], bool],
        on_over: Callable[[Viewer, str], None],
        clock: Callable[[], float],
    ) -> None:
        """`vp8` serves a far end without H.264, `beside` one that may hear and speak.

        `on_over` hears once why the view is over: "left" or "off".

        Raises ViewRefusedError for an offer that cannot be served; nothing is open then.
        """
        try:
            self._offer = accept_view(offer, sound=beside is not None)
            missing = h264_missing(self._offer.text)
        except SessionDescriptionError as error:
            raise ViewRefusedError("offer", str(error)) from error
        except UNREADABLE as error:
            raise ViewRefusedError("offer", f"the offer cannot be read: {error}") from error
        self.codec = "H264" if missing is None else "VP8"
        """Codec of this viewer's picture."""
        if missing is not None and (vp8 is None or not _takes_vp8(self._offer)):
            raise ViewRefusedError("codec", missing)
        self._pictures = h264 if missing is None or vp8 is None else vp8
        self._is_forbidden = is_forbidden
        self._on_over = on_over
        self._clock = clock
        self._closed = False
        self._asked_s = float("-inf")
        self._thinning = Thinning(self._pictures.bitrate_bps, clock())
        sounds = beside is not None and any(section.kind == "audio" for section in self._sections)
        self._sound = ViewerSound(beside, clock) if beside is not None and sounds else None
        bundle = RTCBundlePolicy.MAX_BUNDLE if sounds else RTCBundlePolicy.BALANCED  # else a second sound is deaf
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=servers(ice_servers), bundlePolicy=bundle))
        self._peer.on("connectionstatechange", self._state_changed)
        self._deadline: asyncio.TimerHandle | None = None
        self._sender: RTCRtpSender | None = None
        self._pass_on: Callable[[AnyRtcpPacket], Any] | None = None
        self._candidates = 0
        self.pictures = 0
        """Pictures sent."""

    @property
    def _sections(self) -> list[Section]:
        """The sections of the offer that are answered."""
        return [self._offer.original.sections[index] for index in self._offer.kept]

    async def add_candidate(self, line: str) -> None:
        """Take a candidate that the far end found after its offer (RFC 8838); one that cannot be used costs nothing."""
        if self._closed or self._candidates >= MOST_CANDIDATES or not is_candidate(line):
            return
        self._candidates += 1
        candidate = candidate_from_sdp(line.removeprefix("candidate:"))
        candidate.sdpMLineIndex = 0  # of the sections that are answered: they share one way
        try:
            await self._peer.addIceCandidate(candidate)
        except UNREADABLE as error:
            log.info("a viewer's candidate cannot be used: %s", error)

    async def answer(self) -> str:
        """Return the complete answer, and connect; the camera starts now."""
        try:
            return await self._answer()
        except (OperationError, InvalidStateError, ConnectionError, *UNREADABLE) as error:
            if self._closed:
                raise ViewRefusedError("over", "The view was ended while it began.") from error
            raise ViewRefusedError("offer", f"the offer cannot be used: {error}") from error

    async def _answer(self) -> str:
        transceiver = self._peer.addTransceiver("video", "sendonly")
        prefer_h264(transceiver, vp8=self.codec == "VP8")
        PacketSender(transceiver.sender)
        for section in self._sections:
            if section.kind == "audio" and self._sound is not None:
                self._sound.add(self._peer, section.direction or "sendrecv")
        tame_ice(self._peer)
        await self._peer.setRemoteDescription(RTCSessionDescription(self._offer.text, "offer"))
        self._send(transceiver.sender)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        if self._sound is not None:
            self._sound.negotiated(self._peer.localDescription.sdp, self._peer.remoteDescription.sdp)
        self._deadline = asyncio.get_running_loop().call_later(CONNECT_DEADLINE_S, self._is_over, "left")
        return polish(self._offer.complete(self._peer.localDescription.sdp))

    async def close(self) -> None:
        """Release everything within two seconds; harmless when it is closed."""
        if self._closed:
            return
        self._closed = True
        if self._deadline is not None:
            self._deadline.cancel()
        if self._sound is not None:
            self._sound.end()
        if self._sender is not None and self._sender.track is not None:
            self._sender.track.stop()
        closing = asyncio.ensure_future(self._peer.close())
        _, late = await asyncio.wait([closing], timeout=CLOSE_DEADLINE_S)
        if late:
            log.warning("a viewer's connection does not close; it is left behind")
            closing.cancel()
        elif closing.exception() is not None:
            log.warning("closing a viewer's connection failed: %s", closing.exception())

    # The way out.

    def _send(self, sender: RTCRtpSender) -> None:
        if self._closed:
            raise InvalidStateError("the viewer is closed")
        self._sender = sender
        self._pass_on = sender._handle_rtcp_packet
        # As in `video/sender.py`, whose test fails when the name goes.
        sender._handle_rtcp_packet = self._handle_rtcp  # type: ignore[method-assign]
        packets = _h264_packets if self.codec == "H264" else _vp8_packets
        sender.replaceTrack(CameraTrack(self._pictures.frames(), self._passes, packets))
        self._pictures.request_keyframe()  # now, so that it waits for the connection and not the other way round

    def _passes(self, unit: AccessUnit) -> bool:
        if self._is_forbidden():  # it would see the card, and take it for the picture
            asyncio.get_running_loop().call_soon(self._is_over, "off")
            return False
        if not self._thinning.passes(len(unit.data), self._clock(), keyframe=unit.keyframe):
            if self._thinning.waits_for_keyframe:
                self._ask_for_keyframe()
            return False
        self.pictures += 1
        return True

    def _ask_for_keyframe(self) -> None:
        now = self._clock()
        if now - self._asked_s >= KEYFRAME_EVERY_S:
            self._asked_s = now
            self._pictures.request_keyframe()

    # The way back: reports and requests, nothing else.

    async def _handle_rtcp(self, packet: AnyRtcpPacket) -> None:
        assert self._sender is not None and self._pass_on is not None, "they are there before it is called"
        if isinstance(packet, RtcpPsfbPacket):
            self._handle_feedback(packet, self._sender._ssrc)
            return
        if isinstance(packet, RtcpRrPacket):
            for report in packet.reports:
                if report.ssrc == self._sender._ssrc:
                    self._thinning.rate.lost(report.fraction_lost / 256, self._clock())
        await self._pass_on(packet)

    def _handle_feedback(self, packet: RtcpPsfbPacket, ours: int) -> None:
        if packet.fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
            self._ask_for_keyframe()
        elif (estimate_bps := path_estimate(packet, ours)) is not None:
            self._thinning.rate.estimated(estimate_bps, self._clock())

    # The end.

    def _state_changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected" and self._deadline is not None:
            self._deadline.cancel()
            if self._sound is not None and not self._closed:
                self._sound.begin()
        elif state in {"failed", "closed"}:
            self._is_over("left")

    def _is_over(self, why: str) -> None:
        if not self._closed:
            self._on_over(self, why)


def _takes_vp8(offer: AcceptedOffer) -> bool:
    return any("vp8" in offer.original.sections[index].codecs() for index in offer.kept)
