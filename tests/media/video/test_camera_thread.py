"""A call's pictures leave on the camera's own thread, in their order; the loop has those that need it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.rtcrtpparameters import RTCRtcpParameters, RTCRtpSendParameters
from aiortc.rtp import HeaderExtensionsMap, RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, RtpPacket

from intercom.media.camera.events import VideoEvent, VideoResumed, VideoSuspended
from intercom.media.camera.stream import FrameSubscription
from intercom.media.codec.h264 import NAL_IDR, AccessUnit
from intercom.media.rtp.packet_sender import BURST_PACKETS, HISTORY, PacketSender
from intercom.media.video.bit_rate import PAUSE_S
from intercom.media.video.sender import VideoSender
from tests.media.calls import LIMIT_S
from tests.media.rtp.test_packet_sender import H264, RTX, Wire

STEP = 3600
"""Ticks from one picture to the next, at 25 a second."""


class Noted(Wire):
    """A wire that notes on which thread each packet left."""

    def __init__(self) -> None:
        super().__init__(HeaderExtensionsMap())
        self.threads: list[str] = []

    def send(self, packets: Sequence[bytes]) -> None:
        if self.closed:
            raise ConnectionError("the connection is not up")
        self.threads += [threading.current_thread().name] * len(packets)
        self.sent += [RtpPacket.parse(packet) for packet in packets]


class Street:
    """A camera that takes a picture whenever the test says so, before a sender on a wire."""

    bitrate_bps = 800_000

    def __init__(self) -> None:
        self.now_s = 0.0
        self.events: list[VideoEvent] = []
        self.keyframes_asked = 0
        self.subscription: FrameSubscription | None = None
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.rtp = self.connection.addTransceiver("video").sender
        self.wire = Noted()
        PacketSender(self.rtp, open_outlet=lambda transport: self.wire)
        self.rtp.setTransport(self.wire)  # type: ignore[arg-type]  # it is what the sender uses of one
        self.sender = VideoSender(self.rtp, self, on_event=self.events.append, clock=lambda: self.now_s)
        self._pts = 0

    def frames(self) -> FrameSubscription:
        self.subscription = FrameSubscription(begin=lambda _: None, on_close=lambda _: None)
        return self.subscription

    def request_keyframe(self) -> None:
        self.keyframes_asked += 1

    def set_bitrate(self, bitrate_bps: int) -> None:
        """The test decides how large a picture is."""

    def unit(self, *, keyframe: bool = False, size: int = 100) -> AccessUnit:
        self._pts += STEP
        kind = NAL_IDR if keyframe else 1
        return AccessUnit(b"\x00\x00\x00\x01" + bytes([0x60 | kind]) + b"\xff" * size, self._pts, keyframe)

    def begins_to_take(self, *units: AccessUnit) -> threading.Thread:
        """Take pictures on the camera's thread."""

        def take() -> None:
            assert self.subscription is not None
            for unit in units:
                self.subscription.put(unit)

        camera = threading.Thread(target=take, name="camera")
        camera.start()
        return camera

    async def takes(self, *units: AccessUnit) -> None:
        await asyncio.to_thread(self.begins_to_take(*units).join, LIMIT_S)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                await asyncio.sleep(0)

    def moments(self) -> list[int]:
        """Times of the pictures that left, from the first one, in pictures."""
        found = list(dict.fromkeys(packet.timestamp for packet in self.wire.sent))
        return [(at - found[0]) % 2**32 // STEP for at in found]


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    street = Street()
    await street.rtp.send(
        RTCRtpSendParameters(codecs=[H264, RTX], headerExtensions=[], muxId="", rtcp=RTCRtcpParameters(cname="door"))
    )
    await street.takes(street.unit(keyframe=True))
    await street.until(lambda: len(street.wire.sent) == 1)
    yield street
    street.sender.close()
    await asyncio.wait_for(street.rtp.stop(), LIMIT_S)
    await street.connection.close()


async def test_a_picture_leaves_on_the_cameras_thread(street: Street) -> None:
    await street.takes(*(street.unit() for _ in range(5)))
    assert street.wire.threads[1:] == ["camera"] * 5
    assert street.moments() == [0, 1, 2, 3, 4, 5]
    assert (street.sender.stats().pictures, street.sender.stats().keyframes) == (6, 1)


async def test_a_large_picture_leaves_in_bursts_on_the_loop_and_the_next_ones_wait_for_it(street: Street) -> None:
    large = street.unit(keyframe=True, size=1300 * (BURST_PACKETS + 4))
    await street.takes(large, street.unit(), street.unit())
    await street.until(lambda: street.moments() == [0, 1, 2, 3])
    assert set(street.wire.threads[1:]) == {"MainThread"}
    await street.takes(street.unit())
    assert street.wire.threads[-1] == "camera"
    assert street.moments() == [0, 1, 2, 3, 4]


async def test_a_muted_picture_is_muted_there_too_and_returns_with_a_keyframe(street: Street) -> None:
    street.sender.set_sending(False)
    await street.takes(street.unit())
    await street.until(lambda: street.sender.stats().dropped == 1)
    street.sender.set_sending(True)
    await street.takes(street.unit(), street.unit(keyframe=True), street.unit())
    await street.until(lambda: len(street.wire.sent) == 3)
    assert street.moments() == [0, 3, 4]
    assert street.sender.stats().dropped == 2


async def test_a_picture_that_was_suspended_returns_by_the_loop_which_tells_of_it(street: Street) -> None:
    while street.sender.stats().target_bps:
        street.now_s += 1
        report = RtcpReceiverInfo(street.rtp._ssrc, round(0.6 * 256), 0, 0, 0, 0, 0)
        await street.rtp._handle_rtcp_packet(RtcpRrPacket(1, [report]))
    assert isinstance(street.events[-1], VideoSuspended)
    await street.takes(street.unit())
    await street.until(lambda: street.sender.stats().dropped == 1)
    street.now_s += PAUSE_S
    await street.takes(street.unit(keyframe=True), street.unit())
    await street.until(lambda: len(street.wire.sent) == 3)
    assert isinstance(street.events[-1], VideoResumed)
    assert street.moments() == [0, 2, 3]


async def test_after_the_end_nothing_leaves(street: Street) -> None:
    street.sender.close()
    await street.takes(street.unit())
    assert len(street.wire.sent) == 1


async def test_what_is_missed_is_sent_again_while_the_camera_goes_on(street: Street) -> None:
    """The far end's requests are answered on the loop, out of what the camera's thread keeps."""
    camera = street.begins_to_take(*(street.unit() for _ in range(2 * HISTORY)))
    while camera.is_alive():
        newest = street.wire.sent[-1].sequence_number
        request = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=street.rtp._ssrc, lost=[(newest + 1) % 65536, newest])
        await street.rtp._handle_rtcp_packet(request)
        await asyncio.sleep(0)
    camera.join()
    first_sent = {packet.sequence_number for packet in street.wire.sent if packet.ssrc == street.rtp._ssrc}
    assert len(first_sent) == 1 + 2 * HISTORY
