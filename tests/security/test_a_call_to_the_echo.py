"""The attack: whoever reaches the port of a call to the echo, or is in that call, sends what the echo cannot take."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from intercom.space.echo import media
from intercom.space.echo.media import close
from tests.space.conftest import OFFER, WAIT_S, Client, House, configure, house

__all__ = ["configure", "house"]

OPUS_SILENCE = b"\xf8\xff\xfe"
SOURCES = 93
"""Number of sources whose report no longer fits in a packet: a block of 24 bytes for each, and 1,500 bytes in all."""
STRANGE = {
    "nothing at all": b"",
    "more sound than a packet holds": b"\x80\x6f" + bytes(1600),
    "a longer report than a packet holds": b"\x80\xc8" + bytes(1600),
}


@dataclass
class Call:
    """A call to the echo that is connected and hears itself."""

    member: Client
    connection: RTCPeerConnection
    heard: MediaStreamTrack
    call_id: str

    @classmethod
    async def make(cls, member: Client, call_id: str = "test") -> Call:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        connection.on("track", track.set_result)
        connection.addTrack(AudioStreamTrack())
        await connection.setLocalDescription(await connection.createOffer())
        sdp = connection.localDescription.sdp
        await member.verto("verto.invite", call_id, sdp=sdp, dialog={"destination_number": "/public/echo"})
        answer = await member.heard("verto.answer")
        await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        call = cls(member, connection, await asyncio.wait_for(track, WAIT_S), call_id)
        await call.hears_itself()
        return call

    async def hears_itself(self) -> None:
        """Wait until the echo has sent back more than can be on its way."""
        for _ in range(50):
            await asyncio.wait_for(self.heard.recv(), WAIT_S)

    async def reports(self) -> set[object]:
        """Return the time of the newest report of the echo on our sound, if there was one."""
        stats = await self.connection.getSenders()[0].getStats()
        return {entry.timestamp for entry in stats.values() if entry.type == "remote-inbound-rtp"}

    async def end(self) -> None:
        await self.member.verto("verto.bye", self.call_id)
        await asyncio.wait_for(self.connection.close(), WAIT_S)


@pytest.fixture
async def call(house: House) -> AsyncIterator[Call]:
    call = await Call.make(await house.join("installer"))
    yield call
    await asyncio.wait_for(call.connection.close(), WAIT_S)


async def sources(call: Call, count: int) -> None:
    transport = call.connection.getSenders()[0].transport
    for ssrc in range(1_000_000, 1_000_000 + count):
        await transport._send_rtp(struct.pack("!BBHLL", 0x80, 96, 1, 1, ssrc) + OPUS_SILENCE)
        await asyncio.sleep(0)


@pytest.mark.parametrize("what", STRANGE)
async def test_a_stranger_cannot_end_a_call_to_the_echo(call: Call, what: str) -> None:
    ice = call.connection.getSenders()[0].transport.transport._connection
    host, port = ice._nominated[1].remote_addr[:2]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(3):
            stranger.sendto(STRANGE[what], (host, port))
    await call.hears_itself()
    await call.hears_itself()
    assert call.connection.connectionState == "connected"


async def test_the_echo_still_reports_on_a_far_end_of_many_sources(call: Call) -> None:
    await sources(call, SOURCES)
    await call.hears_itself()
    async with asyncio.timeout(WAIT_S):
        for _ in range(2):
            before = await call.reports()
            while await call.reports() == before:
                await asyncio.sleep(0.05)


async def test_the_echo_leaves_nothing_behind_of_a_far_end_of_many_sources(call: Call) -> None:
    await sources(call, SOURCES)
    for _ in range(2):
        await call.hears_itself()
    await call.end()
    async with asyncio.timeout(WAIT_S):
        while left := tasks_of_aiortc():
            await asyncio.wait(left, timeout=0.1)


async def test_one_member_cannot_take_every_call_of_the_echo(call: Call) -> None:
    second = await Call.make(call.member, "second")
    await call.member.verto("verto.invite", "third", sdp=OFFER, dialog={"destination_number": "/public/echo"})
    assert (await call.member.heard("verto.bye"))["cause"] == "USER_BUSY"
    await second.end()


async def test_an_offer_of_many_sections_opens_no_sockets(house: House) -> None:
    member = await house.join("installer")
    await member.verto(
        "verto.invite",
        "test",
        sdp=OFFER + OFFER[OFFER.index("m=") :] * 20,
        dialog={"destination_number": "/public/echo"},
    )
    assert (await member.heard("verto.bye"))["cause"] == "INCOMPATIBLE_DESTINATION"


async def test_a_close_that_hangs_lets_go_of_the_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    ice = connection.addTransceiver("audio").receiver.transport.transport
    await connection.setLocalDescription(await connection.createOffer())
    assert ice._connection._protocols

    async def hangs() -> None:
        monkeypatch.setattr(media, "CLOSE_LIMIT_S", WAIT_S)  # the sockets alone have the time of a busy machine
        await asyncio.Event().wait()

    monkeypatch.setattr(connection, "close", hangs)
    await close(connection)
    assert not ice._connection._protocols


def tasks_of_aiortc() -> list[asyncio.Task[object]]:
    return [
        task
        for task in asyncio.all_tasks()
        if "aiortc" in getattr(getattr(task.get_coro(), "cr_code", None), "co_filename", "")
    ]
