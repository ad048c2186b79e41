"""A picture for a far end without H.264: encoded again, for a viewer and for a call."""

from __future__ import annotations

import asyncio

import av
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av.packet import Packet

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.camera.vp8 import MOST_WIDTH, Transcoder
from intercom.media.codec.h264 import PAYLOAD_BYTES, AccessUnit
from intercom.media.codec.vp8 import packetize
from intercom.media.rtp.peer import DoorCall
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import LIMIT_S
from tests.media.events import Reported
from tests.media.recording.film import pictures

SMALL = VideoFormat(320, 180, 15, 400_000)
LARGE = VideoFormat(1280, 720, 15, 1_000_000)


async def filmed(video: VideoFormat, count: int) -> list[AccessUnit]:
    camera = Camera(PatternSource(video))
    with camera.frames() as frames:
        async with asyncio.timeout(LIMIT_S):
            units = [await frames.next() for _ in range(count)]
    await asyncio.to_thread(camera.stop)
    return units


async def test_a_picture_is_made_smaller_and_stays_the_same_picture() -> None:
    transcoder = Transcoder()
    encoded = [unit for unit in map(transcoder.put, await filmed(LARGE, 5)) if unit is not None]
    decoder = av.CodecContext.create("libvpx", "r")
    frame = decoder.decode(Packet(encoded[0].data))[0]  # type: ignore[attr-defined]  # a video decoder
    assert (frame.width, frame.height) == (MOST_WIDTH, 360)
    assert frame.to_ndarray(format="yuv420p")[20, 20] == pytest.approx(180, abs=8), "the white bar"


def test_a_keyframe_comes_first_and_when_it_is_asked_for() -> None:
    transcoder = Transcoder()
    units = pictures(6)  # a camera that was late makes some so soon after one another that they are left out
    first = [unit.keyframe for unit in map(transcoder.put, units[:4]) if unit is not None]
    transcoder.request_keyframe()
    later = next(unit for unit in map(transcoder.put, units[4:]) if unit is not None)
    assert first[0] is True
    assert not any(first[1:])
    assert later.keyframe


async def test_a_damaged_picture_is_passed_over() -> None:
    transcoder = Transcoder()
    assert transcoder.put(AccessUnit(b"\x00\x00\x01\x65garbage", 0, keyframe=True)) is None
    assert any(map(transcoder.put, await filmed(SMALL, 3)))


def test_packets_hold_the_picture_and_tell_its_beginning() -> None:
    data = bytes(range(256)) * 12
    payloads = packetize(data)
    assert b"".join(payload[1:] for payload in payloads) == data
    assert [payload[0] for payload in payloads] == [0x10, 0, 0]
    assert max(map(len, payloads)) <= PAYLOAD_BYTES


class House:
    """A far end that answers a call, and decodes VP8 alone."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.peer.on("track", lambda track: track.kind == "video" and self.tracks.put_nowait(track))

    async def answer(self, offer: str) -> str:
        await self.peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        known = RTCRtpReceiver.getCapabilities("video").codecs
        for transceiver in self.peer.getTransceivers():
            if transceiver.kind == "video":
                transceiver.setCodecPreferences([codec for codec in known if codec.mimeType == "video/VP8"])
                transceiver._codecs = [codec for codec in transceiver._codecs if codec.mimeType == "video/VP8"]
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        return str(self.peer.localDescription.sdp)

    async def offer(self) -> str:
        self.peer.addTransceiver("audio", "sendrecv")
        picture = self.peer.addTransceiver("video", "recvonly")
        known = RTCRtpReceiver.getCapabilities("video").codecs
        picture.setCodecPreferences([codec for codec in known if codec.mimeType == "video/VP8"])
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def width(self) -> int:
        """Wait for a decoded picture; return its width."""
        async with asyncio.timeout(LIMIT_S):
            frame = await (await self.tracks.get()).recv()
        return int(frame.width)  # type: ignore[union-attr]  # a picture


@pytest.fixture
def camera() -> Camera:
    return Camera(PatternSource(SMALL))


def call_of(engine: AudioEngine, camera: Camera, events: Reported[object]) -> DoorCall:
    return DoorCall("call", [], engine, camera, audio=True, on_event=events, clock=asyncio.get_running_loop().time)


@pytest.mark.parametrize("door_calls", [True, False])
async def test_a_call_with_a_far_end_without_h264_has_a_picture(
    engine: AudioEngine, camera: Camera, events: Reported[object], door_calls: bool
) -> None:
    call, house = call_of(engine, camera, events), House()
    try:
        if door_calls:
            await call.accept_answer(await house.answer(await call.create_offer()))
        else:
            answer = await call.create_answer(await house.offer())
            await house.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert await house.width() == 320
    finally:
        await asyncio.gather(call.close(), house.peer.close())
        await asyncio.to_thread(camera.stop)


async def test_a_door_that_makes_no_vp8_says_why_there_is_no_picture(
    engine: AudioEngine, camera: Camera, events: Reported[object]
) -> None:
    camera.vp8 = None
    call, house = call_of(engine, camera, events), House()
    try:
        await call.create_answer(await house.offer())
        assert "H.264" in call.stats().why_no_video
    finally:
        await asyncio.gather(call.close(), house.peer.close())
