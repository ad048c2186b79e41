"""Every private name of aiortc and aioice that we stand on: each test fails loudly when one goes."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import CODECS
from aiortc.rtp import RtpPacket

from intercom.media.rtp_hooks import (
    TELEPHONE_EVENTS,
    know_telephone_events,
    take_packets,
    tame_ice,
)


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


@pytest.mark.parametrize("times", [1, 2])
def test_telephone_events_are_known_once(times: int) -> None:
    for _ in range(times):
        know_telephone_events()
    known = [codec for codec in CODECS["audio"] if codec.name == "telephone-event"]
    assert len(known) == len(TELEPHONE_EVENTS)
