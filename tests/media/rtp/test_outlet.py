"""The way of packets to the socket: each arrives, in order, and a picture takes one system call where the path can.

It is tried over loopback alone, with what this kernel can and with what another could.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import threading
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.rtp import RtpPacket

from intercom.media.native import module
from intercom.media.rtp.outlet import RTP_COMPONENT, UDP_SEGMENT, Outlet, equally_long
from tests.media.calls import LIMIT_S

PICTURE = [bytes([number]) * 900 for number in range(6)] + [b"end"]


class Street:
    """Two connected ends: an outlet at one, and what arrives at the other."""

    def __init__(self) -> None:
        self.house, self.door = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
        self.arrived: list[RtpPacket] = []
        self._changed = asyncio.Event()

    async def connect(self) -> None:
        transceiver = self.door.addTransceiver("video", "sendonly")
        await self.door.setLocalDescription(await self.door.createOffer())
        await self.house.setRemoteDescription(self.door.localDescription)
        self.house.getTransceivers()[0].receiver._handle_rtp_packet = self._take  # type: ignore[method-assign]  # listens
        await self.house.setLocalDescription(await self.house.createAnswer())
        await self.door.setRemoteDescription(self.house.localDescription)
        async with asyncio.timeout(LIMIT_S):
            while "connected" not in {self.door.connectionState} & {self.house.connectionState}:
                await asyncio.sleep(0.01)
        self.ssrc, self.type = transceiver.sender._ssrc, transceiver._codecs[0].payloadType
        self.outlet = Outlet(transceiver.sender.transport)

    async def _take(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        self.arrived.append(packet)
        self._changed.set()

    async def sees(self, count: int) -> list[bytes]:
        async with asyncio.timeout(LIMIT_S):
            while len(self.arrived) < count:
                self._changed.clear()
                await self._changed.wait()
        return [packet.payload for packet in self.arrived]

    def packets(self, payloads: Sequence[bytes], first: int = 0) -> list[bytes]:
        numbered = enumerate(payloads, first)
        return [
            RtpPacket(
                payload_type=self.type, sequence_number=number % 65536, ssrc=self.ssrc, payload=payload
            ).serialize()
            for number, payload in numbered
        ]


class Counting:
    """The socket of a kernel that cuts buffers: it counts its system calls, and refuses some."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.calls: list[str] = []
        self.refuses: dict[str, int] = {}

    def _count(self, name: str) -> None:
        self.calls.append(name)
        if name in self.refuses:
            raise OSError(self.refuses[name], "refused")

    def sendmsg(self, buffers: Sequence[bytes], ancillary: Sequence[Any], flags: int, address: Any) -> None:
        self._count("sendmsg")
        ((level, option, length),) = ancillary
        assert (level, option) == (socket.IPPROTO_UDP, UDP_SEGMENT)
        data, (step,) = b"".join(buffers), struct.unpack("=H", length)
        for start in range(0, len(data), step):
            self._real.sendto(data[start : start + step], address)

    def sendto(self, data: bytes, address: Any) -> None:
        self._count("sendto")
        self._real.sendto(data, address)

    def close(self) -> None:
        self._real.close()


@pytest.fixture
async def street(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Street]:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    street = Street()
    await street.connect()
    yield street
    street.outlet.close()
    await asyncio.gather(street.house.close(), street.door.close())


async def counted(street: Street, *, cuts: bool = True) -> Counting:
    """Send a first packet, and count Python's calls from then on; the kernel cuts buffers or has never heard of it."""
    street.outlet.send(street.packets([b"first"]))
    await street.sees(1)
    assert street.outlet._socket is not None
    counting = Counting(street.outlet._socket)
    street.outlet._socket = counting  # type: ignore[assignment]  # it is what the outlet uses of one
    street.outlet._cuts, street.outlet._writer = cuts, None
    street.arrived.clear()
    return counting


async def test_a_picture_arrives_whole_and_in_order_on_this_kernel(street: Street) -> None:
    street.outlet.send(street.packets([b"sets", *PICTURE]))
    assert await street.sees(len(PICTURE) + 1) == [b"sets", *PICTURE]


@pytest.mark.parametrize(("cuts", "calls"), [(True, ["sendmsg"]), (False, ["sendto"] * len(PICTURE))])
async def test_a_picture_takes_one_system_call_where_the_kernel_cuts_it(
    street: Street, cuts: bool, calls: list[str]
) -> None:
    counting = await counted(street, cuts=cuts)
    street.outlet.send(street.packets(PICTURE, 1))
    assert await street.sees(len(PICTURE)) == PICTURE
    assert counting.calls == calls


async def test_sound_leaves_on_its_own_thread_while_the_event_loop_stands_still(street: Street) -> None:
    counting = await counted(street)
    engine = threading.Thread(target=street.outlet.send, args=(street.packets([b"sound"], 1),))
    engine.start()
    engine.join(LIMIT_S)
    assert counting.calls == ["sendto"]
    assert await street.sees(1) == [b"sound"]


class Relay:
    """A relay's transport, which has no socket of its own: it tells where a first datagram went."""

    def __init__(self) -> None:
        self.sent = asyncio.get_running_loop().create_future()

    def get_extra_info(self, name: str) -> None:
        return None

    def sendto(self, data: bytes, address: Any) -> None:
        self.sent.set_result(address)


class Writer:
    """The compiled module's writer on a system that has no room, or refuses what is sent."""

    def __init__(self, street: Street, error: int = 0) -> None:
        self._seal, self._error = street.outlet._srtp.protect, error

    def send(self, packet: bytes) -> bytes:
        sealed = self._seal(packet)
        if self._error:
            raise OSError(self._error, "refused")
        return sealed

    def seal(self, packets: Sequence[bytes]) -> list[bytes]:
        return [self._seal(packet) for packet in packets]


async def with_writer(street: Street, writer: Writer | None = None) -> None:
    """Send a first packet through the compiled module, and the next through this one."""
    if module.why_not():
        pytest.skip(module.why_not())
    street.outlet.send(street.packets([b"first"]))
    assert await street.sees(1) == [b"first"]
    street.arrived.clear()
    assert street.outlet._writer is not None
    if writer is not None:
        street.outlet._writer = writer  # type: ignore[assignment]  # it is what the outlet uses of one


async def test_sound_leaves_by_the_compiled_module_between_pictures(street: Street) -> None:
    await with_writer(street)
    for first in (1, 20, 40):
        street.outlet.send(street.packets(PICTURE, first))
        street.outlet.send(street.packets([b"sound"], first + len(PICTURE)))
    assert await street.sees(3 * (len(PICTURE) + 1)) == [*PICTURE, b"sound"] * 3


async def test_sound_leaves_by_the_pair_that_was_nominated_last(street: Street) -> None:
    await with_writer(street)
    nominated: dict[int, Any] = street.outlet._ice._nominated
    first, relay = nominated[RTP_COMPONENT], Relay()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.settimeout(LIMIT_S)
        address = elsewhere.getsockname()
        nominated[RTP_COMPONENT] = SimpleNamespace(protocol=first.protocol, remote_addr=address)
        street.outlet.send(street.packets([b"elsewhere"], 1))
        await asyncio.to_thread(elsewhere.recv, 2048)
    nominated[RTP_COMPONENT] = SimpleNamespace(protocol=SimpleNamespace(transport=relay), remote_addr=address)
    street.outlet.send(street.packets([b"relayed"], 2))
    assert await asyncio.wait_for(relay.sent, LIMIT_S) == address
    nominated[RTP_COMPONENT] = first
    street.outlet.send(street.packets([b"back"], 3))
    assert await street.sees(1) == [b"back"]


async def test_sound_that_finds_no_room_waits_for_it_in_the_event_loop(street: Street) -> None:
    await with_writer(street, Writer(street))
    street.outlet.send(street.packets([b"sound"], 1))
    assert await street.sees(1) == [b"sound"]


async def test_sound_that_the_system_refuses_is_lost_and_nothing_else(street: Street) -> None:
    await with_writer(street, Writer(street, errno.ENETUNREACH))
    street.outlet.send(street.packets([b"lost"], 1))
    street.outlet.send(street.packets(PICTURE, 2))
    assert await street.sees(len(PICTURE)) == PICTURE


async def test_a_keyframe_takes_two_because_its_parameter_sets_are_shorter(street: Street) -> None:
    counting = await counted(street)
    street.outlet.send(street.packets([b"sets", *PICTURE], 1))
    assert await street.sees(len(PICTURE) + 1) == [b"sets", *PICTURE]
    assert counting.calls == ["sendto", "sendmsg"]


@pytest.mark.parametrize("error", [errno.EIO, errno.EINVAL])
async def test_where_the_path_cannot_cut_each_packet_goes_by_itself_from_then_on(street: Street, error: int) -> None:
    counting = await counted(street)
    counting.refuses["sendmsg"] = error
    street.outlet.send(street.packets(PICTURE, 1))
    street.outlet.send(street.packets(PICTURE, 1 + len(PICTURE)))
    assert await street.sees(2 * len(PICTURE)) == [*PICTURE, *PICTURE]
    assert counting.calls == ["sendmsg"] + ["sendto"] * 2 * len(PICTURE)


async def test_what_finds_no_room_waits_for_it_in_the_event_loop(street: Street) -> None:
    counting = await counted(street)
    counting.refuses = {"sendmsg": errno.EAGAIN, "sendto": errno.EAGAIN}
    street.outlet.send(street.packets(PICTURE, 1))
    assert await street.sees(len(PICTURE)) == PICTURE


@pytest.mark.parametrize("error", [errno.ENETUNREACH, errno.EPERM, errno.ENOBUFS, errno.EMSGSIZE])
async def test_what_the_system_refuses_is_lost_and_nothing_else(street: Street, error: int) -> None:
    """The network is gone, a firewall forbids it, a queue is full, the path is narrow: no end of a call."""
    counting = await counted(street)
    counting.refuses = {"sendto": error, "sendmsg": error}
    street.outlet.send(street.packets([b"lost"], 1))
    street.outlet.send(street.packets(PICTURE, 2))
    counting.refuses.clear()
    street.outlet.send(street.packets([b"there"], 2 + len(PICTURE)))
    assert await street.sees(1) == [b"there"]


async def test_the_numbers_may_wrap_as_often_as_a_long_call_lets_them(street: Street) -> None:
    """Each wrap is part of the key (RFC 3711 section 3.3.1), and each sender counts its own."""
    for wraps in range(3):
        for number in range(0, 65536, 4096):
            street.outlet.send(street.packets([b"%d" % (65536 * wraps + number)], number))
            await street.sees(len(street.arrived) + 1)
    assert [int(packet.payload) for packet in street.arrived] == list(range(0, 3 * 65536, 4096))


async def test_an_outlet_of_a_closed_connection_sends_nothing(street: Street) -> None:
    await counted(street)
    street.outlet.close()
    with pytest.raises(ConnectionError):
        street.outlet.send(street.packets(PICTURE))


async def test_there_is_no_outlet_before_the_connection_stands() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver("video")
    with pytest.raises(ConnectionError):
        Outlet(transceiver.sender.transport)
    await connection.close()


@pytest.mark.parametrize(
    ("lengths", "runs"),
    [
        ([], []),
        ([5], [[5]]),
        ([9, 9, 9, 4], [[9, 9, 9, 4]]),
        ([3, 9, 9, 4], [[3], [9, 9, 4]]),
        ([9, 4, 4, 9], [[9, 4], [4], [9]]),
        ([4, 9, 9], [[4], [9, 9]]),
    ],
)
def test_a_run_is_equally_long_but_for_its_last(lengths: list[int], runs: list[list[int]]) -> None:
    found = equally_long([bytes(length) for length in lengths])
    assert [[len(packet) for packet in run] for run in found] == runs
