"""Every private name of aiortc and aioice that we stand on: each test fails loudly when one goes."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import CODECS
from aiortc.rtp import RtpPacket

from intercom.media.rtp_hooks import (
    TELEPHONE_EVENTS,
    AudioTransport,
    know_telephone_events,
    own_transport,
    take_packets,
    tame_ice,
)


class Wire:
    """Remembers what would be sent."""

    def __init__(self) -> None:
        self.sent: list[RtpPacket] = []

    async def _send_rtp(self, data: bytes) -> None:
        if not 192 <= data[1] <= 223:
            self.sent.append(RtpPacket.parse(data))


def audio_packet(sequence: int, timestamp: int = 0) -> bytes:
    packet = RtpPacket(payload_type=96, marker=1, sequence_number=sequence, timestamp=timestamp, ssrc=7)
    packet.payload = b"sound"
    return packet.serialize()


async def test_only_the_first_packet_is_marked() -> None:
    wire = Wire()
    transport = AudioTransport(wire)
    for sequence in (1, 2, 3):
        await transport._send_rtp(audio_packet(sequence))
    assert [packet.marker for packet in wire.sent] == [1, 0, 0]


async def test_keys_and_sound_share_one_numbering() -> None:
    wire = Wire()
    transport = AudioTransport(wire)
    await transport._send_rtp(audio_packet(65534, 1000))
    at = await transport.send_event(110, b"\x05\x0a\x00\xa0", begin=True, timestamp=None)
    await transport.send_event(110, b"\x05\x8a\x01\x40", begin=False, timestamp=at)
    await transport._send_rtp(audio_packet(65535, 1960))
    assert [packet.sequence_number for packet in wire.sent] == [65534, 65535, 0, 1]
    assert [packet.timestamp for packet in wire.sent] == [1000, 1000, 1000, 1960]
    assert [packet.payload_type for packet in wire.sent] == [96, 110, 110, 96]
    assert {packet.ssrc for packet in wire.sent} == {7}


async def test_a_key_before_the_first_sound_is_too_early() -> None:
    assert await AudioTransport(Wire()).send_event(110, b"1234", begin=True, timestamp=None) is None


async def test_control_packets_pass_untouched() -> None:
    passed: list[bytes] = []

    class Recorder:
        async def _send_rtp(self, data: bytes) -> None:
            passed.append(data)

    report = bytes([0x80, 200, 0, 6]) + bytes(24)
    await AudioTransport(Recorder())._send_rtp(report)
    assert passed == [report]


async def test_packets_come_to_us_and_still_count_in_the_reports() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = connection.addTransceiver("audio").receiver
    taken: list[RtpPacket] = []
    take_packets(receiver, taken.append, lambda number: 48_000)
    packet = RtpPacket(payload_type=96, sequence_number=1, ssrc=7)
    await receiver._handle_rtp_packet(packet, arrival_time_ms=0)
    report = await receiver.getStats()
    await connection.close()
    assert taken == [packet]
    assert [entry.packetsReceived for entry in report.values() if entry.type == "inbound-rtp"] == [1]


async def test_gathering_is_bounded_for_every_transport() -> None:
    servers = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    servers.addTransceiver("audio")
    servers.addTransceiver("video")
    tame_ice(servers)
    tame_ice(servers)
    await asyncio.wait_for(servers.setLocalDescription(await servers.createOffer()), 2)
    await servers.close()


async def test_the_sender_uses_our_transport() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("audio").sender
    ours = own_transport(sender)
    assert id(sender.transport) == id(ours)
    assert ours.state == "new"
    await connection.close()


@pytest.mark.parametrize("times", [1, 2])
def test_telephone_events_are_known_once(times: int) -> None:
    for _ in range(times):
        know_telephone_events()
    known = [codec for codec in CODECS["audio"] if codec.name == "telephone-event"]
    assert len(known) == len(TELEPHONE_EVENTS)
