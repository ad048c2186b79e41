"""The way out of a picture: what is agreed with the far end, and what its reports do."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCRtpTransceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    pack_remb_fci,
)

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.events import VideoEvent, VideoResumed, VideoSuspended
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.video.bit_rate import PAUSE_S
from intercom.media.video.sender import VideoSender, h264_missing, prefer_h264
from intercom.media.video.track import CameraTrack
from tests.media.calls import LIMIT_S
from tests.media.video.attached import attach_camera

SMALL = VideoFormat(320, 180, 25, 800_000)


def description(video: str) -> str:
    """A far end's description with this video section."""
    return "\r\n".join(
        [
            "v=0",
            "o=- 1 1 IN IP4 192.0.2.1",
            "s=-",
            "t=0 0",
            "m=audio 4000 UDP/TLS/RTP/SAVPF 111",
            "c=IN IP4 192.0.2.1",
            "a=rtpmap:111 opus/48000/2",
            *video.split(),
            "",
        ]
    ).replace("~", " ")


H264 = "m=video~4002~UDP/TLS/RTP/SAVPF~102 a=rtpmap:102~H264/90000"
BASELINE = f"{H264} a=fmtp:102~level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        (BASELINE, None),
        (f"{BASELINE} a=recvonly", None),
        ("", "has no video"),
        (BASELINE.replace("4002", "0"), "declines"),
        (f"{BASELINE} a=inactive", "declines"),
        (f"{BASELINE} a=sendonly", "declines"),
        ("m=video~4002~UDP/TLS/RTP/SAVPF~96 a=rtpmap:96~VP8/90000", "but VP8"),
        (BASELINE.replace("42e01f", "640c1f"), "but H264"),
        (BASELINE.replace("packetization-mode=1", "packetization-mode=0"), "packetization-mode 1"),
    ],
)
def test_why_a_far_end_takes_no_picture_is_said(video: str, reason: str | None) -> None:
    missing = h264_missing(description(video))
    assert missing is None if reason is None else reason in (missing or "")


async def test_the_offer_holds_h264_alone_with_retransmission() -> None:
    door = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    prefer_h264(door.addTransceiver("video", direction="sendonly"))
    offer = (await door.createOffer()).sdp
    assert [line.split()[1] for line in offer.splitlines() if line.startswith("a=rtpmap:")] == [
        "H264/90000",
        "rtx/90000",
        "H264/90000",
        "rtx/90000",
    ]
    assert offer.index("42e01f") < offer.index("42001f")
    await door.close()


async def test_the_answer_chooses_h264_from_an_offer_that_prefers_vp8() -> None:
    house, door = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    house.addTransceiver("video", direction="recvonly")
    prefer_h264(door.addTransceiver("video", direction="sendonly"))
    await house.setLocalDescription(await house.createOffer())
    assert h264_missing(house.localDescription.sdp) is None
    await door.setRemoteDescription(RTCSessionDescription(house.localDescription.sdp, "offer"))
    answer = (await door.createAnswer()).sdp
    assert "H264" in answer
    assert "VP8" not in answer
    await asyncio.gather(house.close(), door.close())


class FarEnd:
    """What the far end reports, handed to the sender as aiortc would."""

    def __init__(self, sender: RTCRtpSender) -> None:
        self._sender = sender

    async def feedback(self, fmt: int, fci: bytes = b"") -> None:
        await self._sender._handle_rtcp_packet(RtcpPsfbPacket(fmt, 1, self._sender._ssrc, fci))

    async def loses(self, fraction: float) -> None:
        report = RtcpReceiverInfo(self._sender._ssrc, round(fraction * 256), 0, 0, 0, 0, 0)
        await self._sender._handle_rtcp_packet(RtcpRrPacket(1, [report]))


class Door:
    """A camera on a sender, with a clock that the test turns."""

    def __init__(self, transceiver: RTCRtpTransceiver) -> None:
        self.now_s = 0.0
        self.events: list[VideoEvent] = []
        self.camera = Camera(PatternSource(SMALL))
        self.sender: VideoSender = attach_camera(
            transceiver, self.camera, on_event=self.events.append, clock=lambda: self.now_s
        )
        assert isinstance(transceiver.sender.track, CameraTrack)
        self.track = transceiver.sender.track
        self.far_end = FarEnd(transceiver.sender)

    async def packet(self) -> bool:
        """Take the next packet; returns whether it is a keyframe."""
        async with asyncio.timeout(LIMIT_S):
            return (await self.track.next_unit()).keyframe


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    door = Door(connection.addTransceiver("video"))
    yield door
    door.sender.close()
    await connection.close()


@pytest.mark.parametrize("request_", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_either_request_brings_a_keyframe(door: Door, request_: int) -> None:
    assert await door.packet()
    await door.far_end.feedback(request_)
    while not await door.packet():
        pass
    assert door.sender.stats().keyframe_requests == 1


async def test_an_estimate_for_this_picture_is_noted(door: Door) -> None:
    await door.far_end.feedback(RTCP_PSFB_APP, pack_remb_fci(400_000, [door.far_end._sender._ssrc]))
    assert door.sender.stats().estimate_bps == 400_000


@pytest.mark.parametrize("fci", [b"", b"REMB", b"REMB" + struct.pack("!L", 0xFF000000), b"AFB!" * 4])
async def test_a_malformed_estimate_is_survived(door: Door, fci: bytes) -> None:
    await door.far_end.feedback(RTCP_PSFB_APP, fci)
    assert door.sender.stats().estimate_bps is None
    assert await door.packet()


async def test_loss_takes_bits_from_the_camera(door: Door) -> None:
    await door.packet()
    await door.far_end.loses(0.5)
    stats = door.sender.stats()
    assert (stats.loss, stats.target_bps) == (0.5, 600_000)


async def test_the_next_call_begins_with_all_bits_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(door.camera, "set_bitrate", asked.append)
    await door.far_end.loses(0.5)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    following = attach_camera(connection.addTransceiver("video"), door.camera, on_event=lambda event: None)
    assert asked == [600_000, 800_000]
    following.close()
    await connection.close()


async def test_a_path_that_loses_most_costs_the_picture_until_a_later_try(door: Door) -> None:
    await door.packet()
    while door.sender.stats().target_bps:
        door.now_s += 1
        await door.far_end.loses(0.6)
    assert isinstance(door.events[-1], VideoSuspended)
    door.now_s += PAUSE_S
    assert await door.packet(), "the picture comes back with a keyframe"
    assert isinstance(door.events[-1], VideoResumed)


async def test_a_stopped_track_ends_and_frees_the_camera(door: Door) -> None:
    await door.packet()
    door.track.stop()
    with pytest.raises(MediaStreamError):
        await door.track.next_unit()
    await asyncio.to_thread(door.camera.stop, LIMIT_S)
    assert not door.camera.is_running
