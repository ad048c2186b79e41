"""The attack: whoever is on the network sends datagrams to the port of a call, of which it has no key."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
from aioice import Connection

from intercom.aiortc_hooks import MOST_WAITING, outlast_any_far_end
from intercom.media.provider import DoorMedia
from intercom.media.rtp.peer import DoorCall
from tests.media.calls import arrivals, connected, running_engine, simulated, until

STRANGE = {
    "nothing at all": b"",
    "one byte": b"\x80",
    "a STUN request without a name": b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
    "the end of a DTLS session": b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x01\x00",
    "a fatal DTLS alert": b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28",
    "a DTLS 1.3 record": b"\x2f" + bytes(40),
    "more sound than a packet holds": b"\x80\x6f" + bytes(1600),
    "a longer report than a packet holds": b"\x80\xc8" + bytes(1600),
}


@pytest.fixture
async def call() -> AsyncIterator[tuple[DoorCall, DoorCall]]:
    """A door in a call with its house."""
    with running_engine(simulated()) as indoors, running_engine(simulated()) as outdoors:
        house = DoorMedia(indoors, on_event=print).open("house", [], video=False)
        door = DoorMedia(outdoors, on_event=print).open("door", [], video=False)
        async with connected(house, door):
            yield house, door


@pytest.mark.parametrize("what", STRANGE)
async def test_a_stranger_cannot_end_a_call(call: tuple[DoorCall, DoorCall], what: str) -> None:
    _, door = call
    at = _ice(door)._nominated[1].local_candidate
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as stranger:
        for _ in range(3):
            stranger.sendto(STRANGE[what], (at.host, at.port))
    heard = arrivals(door)
    await until(lambda: len(heard) > 10)
    assert door.state == "connected"


async def test_what_nobody_reads_yet_does_not_fill_the_memory() -> None:
    outlast_any_far_end()
    ice = Connection(ice_controlling=True)
    for _ in range(10 * MOST_WAITING):
        ice.data_received(b"\x16" + bytes(1200), 1)
    assert ice._queue.qsize() == MOST_WAITING
    await ice.close()


def _ice(call: DoorCall) -> Connection:
    transceiver = call._connection._peer.getTransceivers()[0]
    ice = transceiver.receiver.transport.transport._connection
    assert isinstance(ice, Connection)
    return ice
