"""Sound that is read on the thread that plays it: all of it comes, all else reaches the loop, nothing waits long."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pylibsrtp
import pytest
from aiortc import AudioStreamTrack, RTCConfiguration, RTCPeerConnection, rtcrtpsender
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from intercom.aiortc_hooks import MOST_WAITING, SessionOfFewSources, outlast_any_far_end
from intercom.media.native import module
from intercom.media.rtp import datagrams
from intercom.media.rtp.datagrams import SO_TIMESTAMPNS, age_s
from intercom.media.rtp.hooks import Statistics, is_rtcp, is_rtp, take_at_once, take_packets
from intercom.media.rtp.inlet import CALM_S, LOOK_S, MOST_AT_ONCE, Inlet
from intercom.media.rtp.packet import Packet
from intercom.media.rtp.steady_clock import earlier, measure_steadily, steady_time
from tests.media.calls import LIMIT_S


class Voice(AudioStreamTrack):
    """What the far end says."""


class Street:
    """A house that talks, and a door that reads it by an inlet, as often as the test says."""

    def __init__(self) -> None:
        self.house, self.door = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
        self.taken: list[tuple[int, float, str]] = []
        """Number, age and thread of each packet of sound."""
        self.by_loop: list[bytes] = []
        """What the loop was given, or read by itself."""
        self.raises = False

    async def connect(self) -> None:
        self.house.addTrack(Voice())
        self.door.addTrack(Voice())
        self.receiver = self.door.getTransceivers()[0].receiver
        take = take_packets(self.receiver, self._take, lambda number: 48_000)
        await self.door.setLocalDescription(await self.door.createOffer())
        await self.house.setRemoteDescription(self.door.localDescription)
        await self.house.setLocalDescription(await self.house.createAnswer())
        await self.door.setRemoteDescription(self.house.localDescription)
        came_by: list[Any] = []
        take_at_once(self.receiver, take, came_by.append)
        await self.until(lambda: len(came_by) > 1)
        protocol = came_by[-1]
        self.inlet = Inlet(self.receiver, protocol, take, lambda number: True)
        received = protocol.datagram_received

        def datagram_received(data: bytes, address: Any) -> None:
            self.by_loop.append(data)
            received(data, address)

        protocol.datagram_received = datagram_received

    def _take(self, packet: Packet, age_s: float) -> None:
        self.taken.append((packet.sequence_number, age_s, threading.current_thread().name))
        if self.raises:
            raise KeyError("whatever it was")

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not true():
                await asyncio.sleep(0.005)

    async def engine(self, true: Callable[[], bool]) -> None:
        """Read every 10 ms on a thread of its own, as the engine does, until it is true."""
        done = threading.Event()

        def turns() -> None:
            while not done.wait(0.01):
                self.inlet.read()

        thread = threading.Thread(target=turns, name="engine")
        thread.start()
        try:
            await self.until(true)
        finally:
            done.set()
            await asyncio.to_thread(thread.join)

    @property
    def threads(self) -> list[str]:
        return [thread for _, _, thread in self.taken]

    def sends_to_the_door(self, datagrams: list[bytes]) -> None:
        """Somebody else sends it these."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            address = self.inlet._transport.get_extra_info("sockname")
            for datagram in datagrams:
                stranger.sendto(datagram, ("127.0.0.1", address[1]))

    def forged(self, rest: bytes) -> bytes:
        """A packet of the house's source and number, which is not from the house."""
        (ssrc,) = self.inlet._streams
        kind = next(iter(self.receiver.transport._rtp_router.payload_type_table))
        return struct.pack("!BBHLL", 0x80, kind, 7, 7, ssrc) + rest


@pytest.fixture(params=["native", "python"])
async def street(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Street]:
    if request.param == "python":
        monkeypatch.setattr(datagrams, "packet_reader", lambda session, through: None)
    elif module.why_not():
        pytest.skip(module.why_not())
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    outlast_any_far_end()
    street = Street()
    await street.connect()
    yield street
    street.inlet.close()
    await asyncio.gather(street.house.close(), street.door.close())


@pytest.fixture
def an_engine_that_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop does not take over where a busy machine holds the reading thread up."""
    monkeypatch.setattr("intercom.media.rtp.inlet.LOOK_S", LIMIT_S)


def is_whole(numbers: list[int]) -> bool:
    return all((after - before) & 0xFFFF == 1 for before, after in pairwise(numbers))


@pytest.mark.usefixtures("an_engine_that_is_not_given_up")
async def test_sound_is_taken_on_the_reading_thread_and_the_loop_is_not_woken_for_it(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 20)
    begun = street.threads.index("engine")
    assert set(street.threads[begun + 1 :]) == {"engine"}
    assert is_whole([number for number, _, _ in street.taken])
    assert all(0 <= age_s < 1 for _, age_s, _ in street.taken)


async def test_the_loop_takes_over_when_nobody_reads_and_nothing_is_lost(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 5)
    await street.until(lambda: street.threads[-5:] == ["MainThread"] * 5)
    await street.engine(lambda: street.threads[-5:] == ["engine"] * 5)
    assert is_whole([number for number, _, _ in street.taken])


async def test_what_waited_while_nobody_read_is_as_old_as_it_is(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 5)
    street.taken.clear()
    await street.until(lambda: len(street.taken) > 8)
    ages_s = [age_s for _, age_s, _ in street.taken]
    assert 0.05 < max(ages_s) <= LOOK_S + LIMIT_S
    assert ages_s[0] > ages_s[4]


@pytest.mark.usefixtures("an_engine_that_is_not_given_up")
async def test_reports_and_consent_go_on_by_the_loop(street: Street) -> None:
    sender = street.door.getTransceivers()[0].sender

    def reported() -> bool:
        return any(entry.type == "remote-inbound-rtp" for entry in sender._RTCRtpSender__stats.values())  # type: ignore[attr-defined]  # aiortc's own

    await street.engine(lambda: reported() and any(data[0] < 4 for data in street.by_loop))
    report = next(e for e in (await sender.getStats()).values() if e.type == "remote-inbound-rtp")
    assert report.packetsReceived > 0
    assert not [data for data in street.by_loop if is_rtp(data) and not is_rtcp(data)][3:]


async def test_what_is_forged_or_damaged_is_neither_taken_nor_the_end_of_anything(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 5)
    chance = random.Random(16)
    datagrams = [street.forged(chance.randbytes(length)) for length in (0, 1, 9, 10, 60, 1500)]
    datagrams += [b"", b"\x80", bytes(12), b"\x80\xc8" + bytes(30), b"\xbf" * 40, os.urandom(1900)]
    before = len(street.taken)
    street.sends_to_the_door(datagrams)
    await street.engine(lambda: len(street.taken) >= before + 10)
    assert is_whole([number for number, _, _ in street.taken])
    assert street.door.connectionState == "connected"


async def test_a_packet_that_the_call_cannot_take_does_not_end_the_thread(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 2)
    street.raises = True
    await street.engine(lambda: len(street.taken) > 12)
    assert "a packet of the far end was not taken" in caplog.text


async def test_a_flood_is_left_to_the_loop_for_a_while(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 2)
    street.by_loop.clear()
    street.sends_to_the_door([street.forged(bytes(60))] * (3 * MOST_AT_ONCE))
    began = time.monotonic()
    street.inlet.read()
    street.inlet.read()
    await street.until(lambda: len(street.by_loop) >= 2 * MOST_AT_ONCE)
    street.taken.clear()
    await street.engine(lambda: "engine" in street.threads)
    assert time.monotonic() - began >= CALM_S


async def test_the_sound_of_half_a_second_in_which_the_engine_was_held_up_is_no_flood(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 2)
    street.sends_to_the_door([street.forged(bytes(60))] * int(2 * LOOK_S / 0.02))
    street.inlet.read()
    assert street.inlet._calm_at == 0.0


async def test_what_waits_for_a_loop_that_is_held_up_is_bounded(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 2)
    check = b"\x00\x01" + bytes(18)
    for _ in range(2 * MOST_WAITING // 20):
        street.sends_to_the_door([check] * 20)
        street.inlet.read()
    await street.until(lambda: street.by_loop.count(check) >= MOST_WAITING - MOST_AT_ONCE)
    street.sends_to_the_door([b"\x00the last"])
    await street.engine(lambda: b"\x00the last" in street.by_loop)
    assert street.by_loop.count(check) <= MOST_WAITING + MOST_AT_ONCE


async def test_nothing_is_taken_once_the_far_end_has_ended_the_connection(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 5)
    dtls = street.receiver.transport
    assert dtls._task is not None
    dtls._task.cancel()
    await street.until(lambda: dtls._state is State.CLOSED)
    street.taken.clear()
    street.by_loop.clear()
    await street.engine(lambda: bool(street.taken) or sum(map(is_rtp, street.by_loop)) >= 5)
    assert not street.taken


async def test_an_inlet_ends_with_the_socket_that_it_reads(street: Street) -> None:
    await street.engine(lambda: not street.inlet._watched)
    street.inlet._transport.close()
    await street.engine(lambda: street.inlet._closed)


async def test_an_inlet_of_a_socket_that_closed_while_nobody_read_ends_with_the_first_turn(street: Street) -> None:
    street.inlet._transport.close()
    await street.engine(lambda: street.inlet._closed)


async def test_a_closed_inlet_reads_nothing_and_the_loop_reads_all(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 5)
    street.inlet.close()
    street.inlet.close()
    street.taken.clear()
    await street.engine(lambda: len(street.taken) >= 5)
    assert set(street.threads) == {"MainThread"}


async def test_what_the_thread_read_is_counted_by_the_transport(street: Street) -> None:
    await street.engine(lambda: street.threads.count("engine") >= 10)
    street.inlet.close()
    report = (await street.receiver.getStats()).values()
    transport = next(entry.packetsReceived for entry in report if entry.type == "transport")
    assert transport >= len(street.taken)


async def test_a_relay_has_no_inlet(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(street.inlet._transport, "get_extra_info", lambda name: None)
    with pytest.raises(ConnectionError):
        Inlet(street.receiver, street.inlet._protocol, lambda packet, age_s: None, lambda number: True)


def test_a_datagram_is_not_older_than_the_look_before_it_whatever_the_time_of_day_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(seconds: float) -> list[tuple[int, int, bytes]]:
        whole = int(seconds)
        return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("=qq", whole, int((seconds - whole) * 1e9)))]

    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert age_s(told(999.99), 0.02) == pytest.approx(0.01)
    assert age_s(told(10.0), 0.02) == 0.02
    assert age_s(told(5000.0), 0.02) == 0.0
    assert age_s([(socket.SOL_SOCKET, SO_TIMESTAMPNS, b"short")], 0.02) == 0.0
    assert age_s([], 0.02) == 0.0


def test_aiortc_reckons_a_report_at_the_time_at_which_it_came() -> None:
    measure_steadily()
    aiortcs: Any = vars(rtcrtpsender)["time"]
    with earlier(5.0):
        assert steady_time() - aiortcs.time() == pytest.approx(5.0, abs=0.5)
    assert steady_time() - aiortcs.time() == pytest.approx(0.0, abs=0.5)


@given(
    st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(1, 200)), min_size=1, max_size=60)
)
def test_the_statistics_of_a_stream_are_aiortcs(packets: list[tuple[int, int, int]]) -> None:
    measure_steadily()
    with pytest.MonkeyPatch.context() as patch:
        now = 1000.0
        patch.setattr(time, "monotonic", lambda: now)
        ours, theirs = Statistics(48_000), StreamStatistics(48_000)
        for number, timestamp, step_ms in packets:
            now += step_ms / 1000
            packet = RtpPacket(sequence_number=number, timestamp=timestamp, ssrc=7)
            ours.add(packet)
            theirs.add(packet)
            assert vars(ours) == vars(theirs)


def test_a_packet_that_is_read_late_is_no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics, now = Statistics(48_000), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(50):
        now = 1000.0 + 0.02 * number
        late_s = 0.01 * (number % 2)
        now += late_s
        statistics.add(RtpPacket(sequence_number=number, timestamp=960 * number, ssrc=7), late_s)
    assert statistics.jitter <= 1


def test_two_threads_share_a_session() -> None:
    key = os.urandom(30)
    sealing = pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND))
    clear = [
        RtpPacket(payload_type=111, sequence_number=number, ssrc=7, payload=bytes([number % 251]) * 400).serialize()
        for number in range(1000)
    ]
    sealed = [sealing.protect(packet) for packet in clear]
    policy = pylibsrtp.Policy(key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND)
    policy.window_size = len(sealed)  # a thread may stand still with one of them
    opening, opened = SessionOfFewSources(policy), dict[int, bytes]()
    waiting = iter(enumerate(sealed))

    def some() -> None:
        for at, packet in waiting:
            opened[at] = opening.unprotect(packet)

    threads = [threading.Thread(target=some) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert [opened[at] for at in range(len(clear))] == clear


def test_two_threads_count_one_packet_after_another() -> None:
    inside, most, together = 0, 0, threading.Event()

    class Slow(Statistics):
        def add(self, packet: Packet, age_s: float = 0.0) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            if inside > 1:
                together.set()
            together.wait(0.05)
            inside -= 1

    receiver: Any = SimpleNamespace(_RTCRtpReceiver__remote_streams={7: Slow(48_000)})
    take = take_packets(receiver, lambda packet, age_s: None, lambda number: 48_000)
    threads = [threading.Thread(target=take, args=(RtpPacket(ssrc=7), 0.0)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert most == 1
