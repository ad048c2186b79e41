"""What goes out over RTP, and every private name of aiortc that it rests on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import (
    RTCRtcpParameters,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpSendParameters,
)
from aiortc.rtp import HeaderExtensionsMap, RtcpPacket, RtcpRtpfbPacket, RtcpSrPacket, RtpPacket
from aiortc.stats import RTCStatsReport

from intercom.media.rtp.packet_sender import MOST_REPEATS, EncodedTrack, MediaFrame, PacketSender, PushedTrack
from tests.media.calls import LIMIT_S

OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2, payloadType=96)
H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90_000, payloadType=102)
RTX = RTCRtpCodecParameters(mimeType="video/rtx", clockRate=90_000, payloadType=103, parameters={"apt": 102})
EXTENSIONS = [
    RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
    RTCRtpHeaderExtensionParameters(id=2, uri="http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
]


class Script(EncodedTrack):
    """Frames that a test writes."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.frames: asyncio.Queue[MediaFrame | None] = asyncio.Queue()

    async def next_frame(self) -> MediaFrame:
        frame = await self.frames.get()
        if frame is None:
            raise MediaStreamError
        return frame


class Speaking(PushedTrack):
    """Frames that come by themselves, on a thread of the test's."""

    kind = "audio"

    def say(self, *frames: MediaFrame) -> None:
        for frame in frames:
            assert self._send is not None, "the connection stands"
            self._send(frame)


class Wire:
    """A DTLS transport and the outlet to it, which remember what would be sent."""

    state = "connected"
    _stats_id = "wire"

    def __init__(self, extensions: HeaderExtensionsMap) -> None:
        self._extensions = extensions
        self.sent: list[RtpPacket] = []
        self.bursts: list[int] = []
        self.closed = False
        self.reports: list[RtcpSrPacket] = []
        self._changed = asyncio.Event()

    def send(self, packets: Sequence[bytes]) -> None:
        if self.closed:
            raise ConnectionError("the connection is not up")
        self.bursts.append(len(packets))
        self.sent += [RtpPacket.parse(packet, self._extensions) for packet in packets]
        self._changed.set()

    def close(self) -> None:
        self.closed = True
        self._changed.set()

    async def _send_rtp(self, data: bytes) -> None:
        self.reports += [packet for packet in RtcpPacket.parse(data) if isinstance(packet, RtcpSrPacket)]
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def _get_stats(self) -> RTCStatsReport:
        return RTCStatsReport()

    def _register_rtp_sender(self, sender: RTCRtpSender, parameters: RTCRtpSendParameters) -> None:
        self._extensions.configure(parameters)

    def _unregister_rtp_sender(self, sender: RTCRtpSender) -> None:
        """Nothing is kept."""


class Line:
    """One aiortc sender on a wire, with our loop in it."""

    def __init__(self, track: EncodedTrack) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.sender = self.connection.addTransceiver(track).sender
        self.wire = Wire(HeaderExtensionsMap())
        self.packets = PacketSender(self.sender, open_outlet=lambda transport: self.wire)
        self.sender.setTransport(self.wire)  # type: ignore[arg-type]  # it is what the sender uses of one

    @property
    def script(self) -> Script:
        assert isinstance(self.sender.track, Script)
        return self.sender.track

    async def start(self, *codecs: RTCRtpCodecParameters) -> None:
        await self.sender.send(
            RTCRtpSendParameters(
                codecs=list(codecs), headerExtensions=EXTENSIONS, muxId="7", rtcp=RTCRtcpParameters(cname="door")
            )
        )

    async def stop(self) -> None:
        await asyncio.wait_for(self.sender.stop(), LIMIT_S)
        await self.connection.close()

    async def say(self, *frames: MediaFrame) -> list[RtpPacket]:
        wanted = len(self.wire.sent) + sum(len(frame.payloads) for frame in frames)
        for frame in frames:
            self.script.frames.put_nowait(frame)
        await self.wire.until(lambda: len(self.wire.sent) >= wanted)
        return self.wire.sent


@pytest.fixture
async def sound() -> AsyncIterator[Line]:
    line = Line(Script("audio"))
    await line.start(OPUS)
    yield line
    await line.stop()


@pytest.fixture
async def picture() -> AsyncIterator[Line]:
    line = Line(Script("video"))
    await line.start(H264, RTX)
    yield line
    await line.stop()


def words(*timestamps: int) -> list[MediaFrame]:
    return [MediaFrame(at, [b"sound"], marker=index == 0) for index, at in enumerate(timestamps)]


async def test_packets_follow_one_another_in_number_and_time(sound: Line) -> None:
    first, second, third = await sound.say(*words(0, 960, 4800))
    assert [(packet.sequence_number - first.sequence_number) % 65536 for packet in (second, third)] == [1, 2]
    assert [(packet.timestamp - first.timestamp) % 2**32 for packet in (second, third)] == [960, 4800]
    assert {(packet.ssrc, packet.payload_type, packet.payload) for packet in sound.wire.sent} == {
        (sound.sender._ssrc, 96, b"sound")
    }


async def test_only_the_packet_that_is_to_be_marked_is_marked(sound: Line) -> None:
    sent = await sound.say(*words(0, 960, 1920))
    assert [packet.marker for packet in sent] == [1, 0, 0]


async def test_the_last_packet_of_a_picture_is_marked(picture: Line) -> None:
    sent = await picture.say(MediaFrame(0, [b"a", b"b"], marker=True), MediaFrame(3600, [b"c"], marker=True))
    assert [packet.marker for packet in sent] == [0, 1, 1]


async def test_the_sound_does_not_wait_for_a_large_picture(picture: Line, sound: Line) -> None:
    picture.script.frames.put_nowait(MediaFrame(0, [b"picture"] * 160, marker=True))
    await picture.wire.until(lambda: bool(picture.wire.sent))
    await sound.say(*words(0))
    assert len(picture.wire.sent) < 160
    await picture.wire.until(lambda: len(picture.wire.sent) == 160)
    assert [packet.marker for packet in picture.wire.sent] == [0] * 159 + [1]


async def test_a_picture_leaves_at_once_and_a_large_one_in_bursts(picture: Line) -> None:
    await picture.say(MediaFrame(0, [b"ordinary"] * 7, marker=True), MediaFrame(3600, [b"large"] * 40, marker=True))
    assert picture.wire.bursts == [7, 16, 16, 8]


async def test_the_extension_tells_the_section_and_the_time(sound: Line) -> None:
    packet = (await sound.say(*words(0)))[0]
    assert packet.extensions.mid == "7"
    assert packet.extensions.abs_send_time is not None
    ago_s = (time.time() - packet.extensions.abs_send_time / 2**18) % 64
    assert min(ago_s, 64 - ago_s) < 20, "the clocks of the day and of the reports may be apart by a step"


async def test_keys_and_sound_share_one_numbering(sound: Line) -> None:
    await sound.say(*words(1000))
    at = sound.packets.send_event(110, b"\x05\x0a\x00\xa0", begin=True, timestamp=None)
    sound.packets.send_event(110, b"\x05\x8a\x01\x40", begin=False, timestamp=at)
    sent = await sound.say(MediaFrame(1960, [b"sound"], marker=False))
    first = sent[0]
    assert [(packet.sequence_number - first.sequence_number) % 65536 for packet in sent] == [0, 1, 2, 3]
    assert [(packet.timestamp - first.timestamp) % 2**32 for packet in sent] == [0, 0, 0, 960]
    assert [packet.payload_type for packet in sent] == [96, 110, 110, 96]
    assert [packet.marker for packet in sent] == [1, 1, 0, 0]


async def test_keys_and_the_sound_of_another_thread_share_it_too() -> None:
    track = Speaking()
    line = Line(track)
    await line.start(OPUS)
    while track._send is None:
        await asyncio.sleep(0)
    engine = threading.Thread(target=track.say, args=words(*range(0, 500 * 960, 960)))
    engine.start()
    while engine.is_alive():
        line.packets.send_event(110, b"\x05\x0a\x00\xa0", begin=True, timestamp=None)
        await asyncio.sleep(0)
    engine.join()
    numbers = [packet.sequence_number for packet in line.wire.sent]
    assert numbers == [(numbers[0] + index) % 65536 for index in range(len(numbers))]
    assert sum(packet.payload_type == 96 for packet in line.wire.sent) == 500
    await line.stop()
    assert track._send is None, "what is said after the end is dropped"


async def test_keys_while_no_sound_is_sent_are_different_keys(sound: Line) -> None:
    """A far end tells keys apart by their timestamps, and the sound may pause: a card is away, or it is silent."""
    for _ in range(2):
        at = sound.packets.send_event(110, b"\x05\x0a\x00\xa0", begin=True, timestamp=None)
        sound.packets.send_event(110, b"\x05\x8a\x01\x40", begin=False, timestamp=at)
    first, *others = sound.wire.sent
    assert [(packet.timestamp - first.timestamp) % 2**32 for packet in others] == [0, 0x140, 0x140]
    assert [packet.marker for packet in sound.wire.sent] == [1, 0, 1, 0]


async def test_a_key_after_new_sound_begins_with_it(sound: Line) -> None:
    await sound.say(*words(0))
    sound.packets.send_event(110, b"\x05\x8a\x01\x40", begin=True, timestamp=None)
    await sound.say(*words(960))
    sound.packets.send_event(110, b"\x05\x8a\x01\x40", begin=True, timestamp=None)
    assert sound.wire.sent[3].timestamp == sound.wire.sent[2].timestamp


async def test_what_the_far_end_misses_is_sent_again_as_a_retransmission(picture: Line) -> None:
    sent = list(await picture.say(MediaFrame(0, [b"one", b"two", b"three"], marker=True)))
    missing = sent[2]
    request = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=picture.sender._ssrc, lost=[missing.sequence_number])
    await picture.sender._handle_rtcp_packet(request)
    again = picture.wire.sent[-1]
    assert (again.ssrc, again.payload_type) == (picture.sender._rtx_ssrc, 103)
    assert again.payload == missing.sequence_number.to_bytes(2, "big") + b"three"
    assert (again.timestamp, again.marker, again.extensions.mid) == (missing.timestamp, 1, "7")


async def test_what_was_never_sent_is_not_sent_again(picture: Line) -> None:
    sent = list(await picture.say(MediaFrame(0, [b"one"], marker=True)))
    strange = (sent[0].sequence_number + 1) % 65536
    await picture.sender._handle_rtcp_packet(
        RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=picture.sender._ssrc, lost=[strange])
    )
    assert len(picture.wire.sent) == 1


async def test_aiortcs_reports_count_what_we_sent(sound: Line) -> None:
    sent = await sound.say(*words(0, 960))
    outbound = next(e for e in (await sound.sender.getStats()).values() if e.type == "outbound-rtp")
    assert (outbound.packetsSent, outbound.bytesSent) == (2, 10)
    await sound.wire.until(lambda: any(report.sender_info.packet_count == 2 for report in sound.wire.reports))
    told = sound.wire.reports[-1].sender_info
    assert (told.packet_count, told.octet_count, told.rtp_timestamp) == (2, 10, sent[-1].timestamp)
    assert abs(told.ntp_timestamp / 2**32 - 2_208_988_800 - time.time()) < LIMIT_S


async def test_a_sender_on_hold_sends_nothing_and_falls_behind_by_nothing(sound: Line) -> None:
    sound.sender._enabled = False
    for frame in words(0, 960):
        sound.script.frames.put_nowait(frame)
    while not sound.script.frames.empty():
        await asyncio.sleep(0)
    sound.sender._enabled = True
    sent = await sound.say(MediaFrame(1920, [b"back"], marker=False))
    assert [packet.payload for packet in sent] == [b"back"]


async def test_a_sender_that_is_stopped_ends_its_track_in_order(sound: Line) -> None:
    track = sound.script
    await asyncio.wait_for(sound.sender.stop(), LIMIT_S)
    assert track.readyState == "ended"
    assert sound.wire.closed


async def test_a_track_that_follows_one_that_has_ended_is_sent_in_its_numbering(picture: Line) -> None:
    """A picture that is hidden ends its track, and when it is shown again there is a new one."""
    await picture.say(MediaFrame(0, [b"shown"], marker=True))
    picture.script.frames.put_nowait(None)
    while not picture.script.frames.empty():
        await asyncio.sleep(0)
    picture.sender.replaceTrack(Script("video"))
    first, second = await picture.say(MediaFrame(90_000, [b"again"], marker=True))
    assert (second.payload, second.ssrc) == (b"again", first.ssrc)
    assert (second.sequence_number - first.sequence_number) % 65536 == 1
    assert (second.timestamp - first.timestamp) % 2**32 == 90_000


async def test_a_track_that_takes_anothers_place_meanwhile_is_sent_too(picture: Line) -> None:
    before = picture.script
    picture.sender.replaceTrack(Script("video"))
    before.frames.put_nowait(None)
    assert [packet.payload for packet in await picture.say(MediaFrame(0, [b"new"], marker=True))] == [b"new"]


async def test_one_request_does_not_send_a_packet_again_for_ever(picture: Line) -> None:
    sent = list(await picture.say(MediaFrame(0, [b"one"], marker=True)))
    flood = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=picture.sender._ssrc, lost=[sent[0].sequence_number] * 5000)
    await picture.sender._handle_rtcp_packet(flood)
    assert len(picture.wire.sent) == 1 + MOST_REPEATS


async def test_a_request_for_a_packet_of_a_picture_that_has_ended_is_no_error(picture: Line) -> None:
    """One would end the transport, and the sound of the call with it."""
    sent = list(await picture.say(MediaFrame(0, [b"one"], marker=True)))
    picture.wire.close()
    late = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=picture.sender._ssrc, lost=[sent[0].sequence_number])
    await picture.sender._handle_rtcp_packet(late)
    assert len(picture.wire.sent) == 1
