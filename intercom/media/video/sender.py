"""Sends a camera over an aiortc transceiver, keyframes on request, at the bit rate that the path allows.

H.264 goes through untouched; VP8 is for a far end that has none.

aiortc's path for packets that are already encoded knows neither keyframe requests nor bandwidth estimates. Both
arrive at `RTCRtpSender._handle_rtcp_packet`, and we stand before it. The name is private: aiortc is pinned, and a
test fails when it goes.
"""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Callable

import msgspec
from aiortc import RTCRtpSender, RTCRtpTransceiver, sdp
from aiortc.codecs import CODECS
from aiortc.rtcpeerconnection import is_codec_compatible
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from intercom.media.camera.events import VideoEvent, VideoResumed, VideoSuspended
from intercom.media.codec import vp8
from intercom.media.codec.h264 import AccessUnit
from intercom.media.video.bit_rate import VideoRate
from intercom.media.video.track import CameraTrack, Pictures

log = logging.getLogger(__name__)

H264_PROFILES = ("42e01f", "42001f")
"""Profiles of our pictures: every far end knows 42e01f, constrained baseline at level 3.1 (RFC 6184, section 8.1)."""


def prefer_h264(transceiver: RTCRtpTransceiver, *, vp8: bool = False) -> None:
    """Offer and accept H.264 alone, constrained baseline first, with retransmission; with `vp8` that too, as the last.

    If the far end has none of it, aiortc refuses its whole description: ask `h264_missing` first.
    """
    codecs = RTCRtpSender.getCapabilities("video").codecs
    chosen = [
        codec
        for profile in H264_PROFILES
        for codec in codecs
        if codec.mimeType == "video/H264" and codec.parameters.get("profile-level-id") == profile
    ]
    others = {"video/rtx", "video/VP8"} if vp8 else {"video/rtx"}
    transceiver.setCodecPreferences([*chosen, *(codec for codec in codecs if codec.mimeType in others)])


def h264_missing(description: str) -> str | None:
    """Return the reason why the far end's SDP accepts no picture from us; None if it does.

    Raises ValueError for a description that aiortc cannot read.
    """
    ours = [codec for codec in CODECS["video"] if codec.mimeType == "video/H264"]
    sections = [media for media in sdp.SessionDescription.parse(description).media if media.kind == "video"]
    if not sections:
        return "The far end has no video."
    media = sections[0]
    if media.port == 0 or media.direction in {"sendonly", "inactive"}:
        return "The far end declines video."
    if not any(is_codec_compatible(mine, theirs) for theirs in media.rtp.codecs for mine in ours):
        theirs = ", ".join(dict.fromkeys(codec.name for codec in media.rtp.codecs)) or "nothing"
        return f"The far end takes no H.264 (baseline, packetization-mode 1), but {theirs}."
    return None


def is_without_h264(transceiver: RTCRtpTransceiver) -> bool:
    """Whether what the two ends have agreed on for a picture, so far as it is known, leaves H.264 out."""
    agreed = transceiver._codecs  # a private name of aiortc's: what it negotiated
    return bool(agreed) and all(codec.mimeType != "video/H264" for codec in agreed)


def path_estimate(packet: RtcpPsfbPacket, source: int) -> int | None:
    """Return the far end's estimate (REMB) of what the path of our source carries, bits a second; None if it is none.

    A message of which this cannot be read is ignored.
    """
    if packet.fmt != RTCP_PSFB_APP:
        return None
    try:
        estimate_bps, sources = unpack_remb_fci(packet.fci)
    except (ValueError, struct.error):
        log.debug("Ignored a malformed bandwidth estimate of %d bytes", len(packet.fci))
        return None
    return int(estimate_bps) if source in sources else None


class VideoStats(msgspec.Struct, frozen=True):
    """Counts of a video sender."""

    pictures: int
    """Access units sent."""
    keyframes: int
    """IDR pictures among them."""
    dropped: int
    """Access units not sent: the connection was not up, it was too slow, or the picture was suspended."""
    keyframe_requests: int
    """PLI and FIR received from the far end."""
    target_bps: int
    """Bit rate that the camera aims at, bits a second; 0 while the picture is suspended."""
    estimate_bps: int | None
    """The far end's last estimate of the path (REMB), bits a second."""
    loss: float
    """Fraction of packets that the far end missed in its last report, 0 to 1."""


class VideoSender:
    """Sends one call's picture."""

    def __init__(
        self,
        sender: RTCRtpSender,
        camera: Pictures,
        *,
        on_event: Callable[[VideoEvent], None],
        clock: Callable[[], float],
    ) -> None:
        self._camera = camera
        self._on_event = on_event
        self._clock = clock
        self._counting = threading.Lock()
        self._rate = VideoRate(camera.bitrate_bps, clock())
        self._target_bps = self._rate.target_bps
        self._suspended = False
        self._muted = False
        self._needs_keyframe = False
        self._pictures = self._keyframes = self._held_back = self._requests = 0
        self._estimate_bps: int | None = None
        self._loss = 0.0
        camera.set_bitrate(self._target_bps)  # the last call may have left it low
        self._frames = camera.frames()
        self._track = CameraTrack(self._frames, self._passes, passes_at_once=self._passes_at_once)
        self._sender = sender
        self._pass_on = sender._handle_rtcp_packet
        sender._handle_rtcp_packet = self._handle_rtcp  # type: ignore[method-assign]  # see the module's docstring
        sender.replaceTrack(self._track)

    def use_vp8(self, pictures: Pictures) -> None:
        """Send these pictures instead, which are VP8; call it before the connection is up."""
        before, self._camera = self._track, pictures
        self._rate = VideoRate(pictures.bitrate_bps, self._clock())
        self._target_bps = self._rate.target_bps
        self._frames = pictures.frames()
        self._track = CameraTrack(self._frames, self._passes, vp8.packetize, passes_at_once=self._passes_at_once)
        self._sender.replaceTrack(self._track)
        before.stop()

    def stats(self) -> VideoStats:
        """Return the counters so far."""
        return VideoStats(
            self._pictures,
            self._keyframes,
            self._held_back + self._frames.dropped,
            self._requests,
            self._rate.target_bps,
            self._estimate_bps,
            self._loss,
        )

    def request_keyframe(self) -> None:
        """Ask the camera for an IDR picture, after an answer, a resume or a gap."""
        self._camera.request_keyframe()

    def set_sending(self, on: bool) -> None:
        """Send the picture, or none until it is switched on again."""
        if on and self._muted:
            self._needs_keyframe = True
            self.request_keyframe()
        self._muted = not on

    def close(self) -> None:
        """Release the camera (idempotent); the transceiver stays, without a picture, for another sender."""
        self._track.stop()
        if self._sender._handle_rtcp_packet == self._handle_rtcp:
            self._sender._handle_rtcp_packet = self._pass_on  # type: ignore[method-assign]  # see the module's docstring

    # The way out.

    def _passes_at_once(self, unit: AccessUnit) -> bool:
        """Whether a picture leaves on the camera's thread, which never waits here; the loop rules on all others."""
        if self._suspended or self._muted or self._needs_keyframe or not self._counting.acquire(blocking=False):
            return False
        try:
            self._count(unit, self._clock())
        finally:
            self._counting.release()
        return True

    def _count(self, unit: AccessUnit, now: float) -> None:
        self._rate.sent(len(unit.data), now)
        self._pictures += 1
        self._keyframes += unit.keyframe

    def _passes(self, unit: AccessUnit) -> bool:
        now = self._clock()
        if self._suspended and self._rate.may_return(now):
            self._suspended, self._needs_keyframe = False, True
            self._follow_rate()
            self.request_keyframe()
            self._on_event(VideoResumed(self._rate.target_bps))
        if self._suspended or self._muted or (self._needs_keyframe and not unit.keyframe):
            self._held_back += 1
            return False
        self._needs_keyframe = False
        with self._counting:
            self._count(unit, now)
        return True

    # The way back.

    async def _handle_rtcp(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpPsfbPacket):
            self._handle_feedback(packet)
            return
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._sender._ssrc:
                    self._loss = report.fraction_lost / 256  # RFC 3550, section 6.4.1
                    with self._counting:
                        self._rate.lost(self._loss, self._clock())
                    self._follow_rate()
        await self._pass_on(packet)

    def _handle_feedback(self, packet: RtcpPsfbPacket) -> None:
        if packet.fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
            self._requests += 1
            self.request_keyframe()
        elif (estimate_bps := path_estimate(packet, self._sender._ssrc)) is not None:
            self._estimate_bps = estimate_bps
            with self._counting:
                self._rate.estimated(estimate_bps, self._clock())
            self._follow_rate()

    def _follow_rate(self) -> None:
        target_bps = self._rate.target_bps
        if target_bps == 0:
            if not self._suspended:
                self._suspended = True
                self._target_bps = 0
                self._on_event(VideoSuspended(self._estimate_bps, self._loss))
        elif abs(target_bps - self._target_bps) > self._target_bps / 10:  # smaller steps only upset the encoder
            self._target_bps = target_bps
            self._camera.set_bitrate(target_bps)
