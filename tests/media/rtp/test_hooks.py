"""Every private name of aiortc and aioice that we stand on: each test fails loudly when one goes."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aioice import Candidate, Connection, stun
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs import CODECS
from aiortc.mediastreams import AudioStreamTrack
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from pylibsrtp import Policy, Session

from intercom.media.rtp.hooks import (
    GATHERING_S,
    TELEPHONE_EVENTS,
    is_rtp,
    know_telephone_events,
    pace_beside,
    take_at_once,
    take_packets,
    tame_ice,
)
from intercom.media.rtp.packet import Packet
from tests.media.calls import LIMIT_S


async def test_packets_come_to_us_and_still_count_in_the_reports() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = connection.addTransceiver("audio").receiver
    taken: list[Packet] = []
    take_packets(receiver, lambda packet, age_s: taken.append(packet), lambda number: 48_000)
    packet = RtpPacket(payload_type=96, sequence_number=1, ssrc=7)
    await receiver._handle_rtp_packet(packet, arrival_time_ms=0)
    report = await receiver.getStats()
    await connection.close()
    assert taken == [packet]
    assert [entry.packetsReceived for entry in report.values() if entry.type == "inbound-rtp"] == [1]


class Voice(AudioStreamTrack):
    """What the far end says."""


async def two_connected(at_once: bool) -> tuple[list[Packet], int, int]:
    """Let a far end talk until 20 packets came; those, and how many aiortc's transport and receiver counted."""
    house, door = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    house.addTrack(Voice())
    receiver = door.addTransceiver("audio").receiver
    taken: list[Packet] = []
    enough = asyncio.Event()

    def heard(packet: Packet, age_s: float) -> None:
        taken.append(packet)
        if len(taken) == 20:
            enough.set()

    take = take_packets(receiver, heard, lambda number: 48_000)
    await house.setLocalDescription(await house.createOffer())
    await door.setRemoteDescription(house.localDescription)
    await door.setLocalDescription(await door.createAnswer())
    if at_once:
        take_at_once(receiver, take)
    await house.setRemoteDescription(door.localDescription)
    await asyncio.wait_for(enough.wait(), LIMIT_S)
    report = (await receiver.getStats()).values()
    until_then = list(taken)
    counted = next(entry.packetsReceived for entry in report if entry.type == "inbound-rtp")
    transport = next(entry.packetsReceived for entry in report if entry.type == "transport")
    await asyncio.gather(house.close(), door.close())
    return until_then, counted, transport


@pytest.mark.parametrize("at_once", [False, True])
async def test_every_packet_comes_in_order_and_is_counted(at_once: bool) -> None:
    taken, counted, transport = await two_connected(at_once)
    first = taken[0].sequence_number
    assert [packet.sequence_number - first for packet in taken] == list(range(len(taken)))
    assert counted == len(taken)
    assert transport >= counted


async def test_what_is_no_packet_of_the_call_is_ignored_or_left_to_aiortc() -> None:
    door = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = door.addTransceiver("audio").receiver
    taken: list[Packet] = []
    take_at_once(receiver, take_packets(receiver, lambda packet, age_s: taken.append(packet), lambda number: 48_000))
    ice = receiver.transport.transport._connection
    ice.data_received(b"\x80\x60" + bytes(30), 1)
    assert ice._queue.qsize() == 1, "before the keys are agreed on"
    receiver.transport._state = State.CONNECTED
    receiver.transport._rx_srtp = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_INBOUND))
    ice._queue.get_nowait()
    ice.data_received(b"\x80\x60" + bytes(30), 1)
    assert (taken, ice._queue.qsize()) == ([], 0), "not from the far end"
    for data in (b"\x80", b"\x16\xfe\xfd" + bytes(30), b"\x80\xc8" + bytes(30)):
        before = ice._queue.qsize()
        ice.data_received(data, 1)
        assert ice._queue.qsize() == before + 1
    receiver.transport._state = State.NEW
    await door.close()


async def test_of_a_packet_of_sound_neither_stun_nor_header_extensions_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse, read = stun.parse_message, HeaderExtensionsMap.get
    parsed: list[bytes] = []
    extensions: list[bytes] = []

    def parse_message(data: bytes, **named: Any) -> stun.Message:
        parsed.append(data)
        return parse(data, **named)

    def get(self: HeaderExtensionsMap, profile: int, value: bytes) -> HeaderExtensions:
        extensions.append(value)
        return read(self, profile, value)

    monkeypatch.setattr(stun, "parse_message", parse_message)
    monkeypatch.setattr(HeaderExtensionsMap, "get", get)
    taken, _, _ = await two_connected(at_once=True)
    assert len(taken) == 20
    assert parsed, "the connection was checked"
    assert not [data for data in parsed if is_rtp(data)]
    assert not extensions


async def test_the_next_report_is_waited_for_without_asking_for_the_running_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = door.addTransceiver("audio").receiver
    take_at_once(receiver, take_packets(receiver, lambda packet, age_s: None, lambda number: 48_000))
    asked: list[str] = []
    waiting = receiver.transport.transport._connection._queue.get()
    with monkeypatch.context() as counting:
        counting.setattr(asyncio.events, "_get_running_loop", lambda: asked.append("a system call"))
        waiting.send(None)
    waiting.close()
    await door.close()
    assert asked == []


async def test_gathering_is_bounded_for_every_transport() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    limits: list[float] = []
    for kind in ("audio", "video"):
        ice = connection.addTransceiver(kind).receiver.transport.transport.iceGatherer._connection
        ice.get_component_candidates = _noting(limits, ice.get_component_candidates)
    by_aioice = inspect.signature(Connection.get_component_candidates).parameters["timeout"].default
    assert by_aioice > GATHERING_S
    tame_ice(connection)
    tame_ice(connection)
    await connection.setLocalDescription(await connection.createOffer())
    await connection.close()
    assert limits == [GATHERING_S] * 2


Gather = Callable[..., Awaitable[list[Candidate]]]


def _noting(limits: list[float], gather: Gather) -> Gather:
    async def gathered(timeout: float = math.inf, **how: Any) -> list[Candidate]:
        limits.append(timeout)
        return await gather(timeout=timeout, **how)

    return gathered


@pytest.mark.parametrize("times", [1, 2])
def test_telephone_events_are_known_once(times: int) -> None:
    for _ in range(times):
        know_telephone_events()
    known = [codec for codec in CODECS["audio"] if codec.name == "telephone-event"]
    assert len(known) == len(TELEPHONE_EVENTS)


async def test_ice_is_over_with_the_first_good_pair() -> None:
    """aioice itself waits 20 ms after each look at the pairs, and looks at least twice."""
    ours, theirs = Connection(ice_controlling=True), Connection(ice_controlling=False)
    pace_beside(ours)
    looks: list[bool] = []
    look = ours._check_periodic

    def noted() -> bool:
        looks.append(look())
        return looks[-1]

    ours._check_periodic = noted  # type: ignore[method-assign]  # only listens
    for near, far in ((ours, theirs), (theirs, ours)):
        await near.gather_candidates()
        far.remote_username, far.remote_password = near.local_username, near.local_password
        for candidate in near.local_candidates:
            await far.add_remote_candidate(candidate)
        await far.add_remote_candidate(None)
    answering = asyncio.ensure_future(theirs.connect())
    await asyncio.wait_for(ours.connect(), LIMIT_S)
    await answering
    await asyncio.gather(ours.close(), theirs.close())
    assert looks == [False]


async def test_ice_without_an_answer_fails_in_the_end() -> None:
    alone = Connection(ice_controlling=True)
    pace_beside(alone)
    await alone.gather_candidates()
    alone.remote_username, alone.remote_password = "ufrag", "p" * 22
    await alone.add_remote_candidate(None)
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(alone.connect(), LIMIT_S)
    await alone.close()


async def test_a_lost_first_flight_of_dtls_costs_a_tenth_of_a_second_not_a_whole_one() -> None:
    house, door = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    house.addTransceiver("audio")
    await house.setLocalDescription(await house.createOffer())
    await door.setRemoteDescription(house.localDescription)
    tame_ice(door)
    await door.setLocalDescription(await door.createAnswer())
    path = door.getTransceivers()[0].receiver.transport.transport
    send = path._send
    flights: list[bytes] = []

    async def lossy(data: bytes) -> None:
        flights.append(data)
        if len(flights) > 1:
            await send(data)

    path._send = lossy
    connected = asyncio.Event()
    door.on("connectionstatechange", lambda: connected.set() if door.connectionState == "connected" else None)
    await house.setRemoteDescription(door.localDescription)
    await asyncio.wait_for(connected.wait(), LIMIT_S)
    await asyncio.gather(house.close(), door.close())
    assert flights[1] == flights[0], "OpenSSL itself sends it after a whole second, under a new number"


async def test_what_is_closed_while_it_connects_begins_nothing() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver("audio")
    tame_ice(connection)
    await connection.close()
    await transceiver.sender.send(RTCRtpSendParameters())
    await transceiver.receiver.receive(RTCRtpReceiveParameters())
    running = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
    assert not running & {"RTCRtpSender._run_rtcp", "RTCRtpReceiver._run_rtcp"}
