"""A telephone holds the door and takes it back by new offers, in the shapes of a real one's bug report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.rtp.sdp import Description
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import LIMIT_S, until, wait_for_state
from tests.media.events import Reported

TCP = "a=candidate:7 1 tcp 1518280447 192.0.2.10 9 typ host tcptype active generation 0\r\n"


class Telephone:
    """A far end that is aiortc's, and whose offers are written as some telephones write them."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.addTrack(AudioStreamTrack())

    async def offer(self, direction: str) -> str:
        self.peer.getTransceivers()[0].direction = direction
        await self.peer.setLocalDescription(await self.peer.createOffer())
        written = Description.parse(self.peer.localDescription.sdp)
        written.session.append("a=sendrecv")
        sound = written.sections[0]
        sound.formats.append("9")
        sound.lines = [line for line in sound.lines if not line.startswith("a=rtpmap:9 ")]
        sound.lines += ["a=rtpmap:9 G722/8000/1", TCP.strip()]
        return str(written)

    async def take(self, answer: str) -> str:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return Description.parse(answer).sections[0].direction or ""


@pytest.fixture
async def telephone() -> AsyncIterator[Telephone]:
    telephone = Telephone()
    yield telephone
    await telephone.peer.close()


@pytest.fixture
async def call(engine: AudioEngine) -> AsyncIterator[DoorCall]:
    events: Reported[object] = Reported()
    call = DoorMedia(engine, on_event=events).open("1", [], video=False)
    yield call
    await call.close()


async def test_a_call_is_held_and_taken_back_over_the_same_path(telephone: Telephone, call: DoorCall) -> None:
    assert await telephone.take(await call.create_answer(await telephone.offer("sendrecv"))) == "sendrecv"
    await wait_for_state(call, "connected")
    await until(lambda: call.stats().sent_packets > 10)
    path = call._connection

    assert await telephone.take(await call.create_restart_answer(await telephone.offer("sendonly"))) == "recvonly"
    assert call._connection is path
    assert call.state == "connected"

    assert await telephone.take(await call.create_restart_answer(await telephone.offer("sendrecv"))) == "sendrecv"
    assert call._connection is path
    sender = telephone.peer.getReceivers()[0]
    before = await received(sender)
    async with asyncio.timeout(LIMIT_S):
        while await received(sender) <= before + 10:
            await asyncio.sleep(0.02)


async def received(receiver: RTCRtpReceiver) -> int:
    """Packets of the door that the telephone heard."""
    report = await receiver.getStats()
    return max((entry.packetsReceived for entry in report.values() if entry.type == "inbound-rtp"), default=0)


async def test_a_telephone_that_holds_without_music_keeps_its_call(telephone: Telephone, call: DoorCall) -> None:
    assert await telephone.take(await call.create_answer(await telephone.offer("sendrecv"))) == "sendrecv"
    await wait_for_state(call, "connected")
    answer = await telephone.take(await call.create_restart_answer(await telephone.offer("inactive")))
    assert answer == "inactive"
    assert call.state == "connected"
