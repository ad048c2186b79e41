"""The attack: whoever is in a call with the door sends what its key allows, a thousand times over."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import pytest

from intercom.aiortc_hooks import MOST_REPORTED, MOST_SOURCES
from intercom.media.provider import DoorMedia
from intercom.media.rtp import connection
from intercom.media.rtp.peer import DoorCall
from tests.media.calls import LIMIT_S, arrivals, connected, running_engine, simulated, until

OPUS_SILENCE = b"\xf8\xff\xfe"
MOST_IN_A_REPORT = 31
"""RFC 3550, section 6.4.2: its count has five bits."""
FIRST = 1_000_000


@pytest.fixture
async def call() -> AsyncIterator[tuple[DoorCall, DoorCall]]:
    """A door in a call with its house."""
    with running_engine(simulated()) as indoors, running_engine(simulated()) as outdoors:
        house = DoorMedia(indoors, on_event=print).open("house", [], video=False)
        door = DoorMedia(outdoors, on_event=print).open("door", [], video=False)
        async with connected(house, door):
            yield house, door


async def new_sources(house: DoorCall, door: DoorCall, count: int) -> None:
    """Send as many packets, each from a source of its own, and wait until the door has heard of it."""
    transport = house._connection.sender.transport
    payload_type = next(n for n, (name, _) in door._connection.payload_types._receive.items() if name == "opus")
    heard = arrivals(door)
    for ssrc in range(FIRST, FIRST + count):
        await transport._send_rtp(struct.pack("!BBHLL", 0x80, payload_type, 1, 1, ssrc) + OPUS_SILENCE)
        if ssrc % 32 == 0:
            before = len(heard)
            await until(lambda before=before: len(heard) > before)  # type: ignore[misc]  # mypy infers no default


async def test_sources_beyond_number_take_no_memory(call: tuple[DoorCall, DoorCall]) -> None:
    house, door = call
    await new_sources(house, door, 3 * MOST_SOURCES)
    receiver = door._connection._audio_transceiver.receiver
    assert len(receiver.transport._rtp_router.ssrc_table) <= MOST_SOURCES + 1
    assert len(receiver._RTCRtpReceiver__remote_streams) <= MOST_REPORTED < MOST_IN_A_REPORT  # type: ignore[attr-defined]


async def test_the_house_is_still_heard_after_them(call: tuple[DoorCall, DoorCall]) -> None:
    house, door = call
    await new_sources(house, door, 3 * MOST_SOURCES)
    heard = arrivals(door)
    await until(lambda: len(heard) > 10)


async def test_the_door_still_reports_and_closes_after_them(
    call: tuple[DoorCall, DoorCall], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CLOSE_DEADLINE_S", LIMIT_S)
    house, door = call
    await new_sources(house, door, 2 * MOST_SOURCES)
    reports = house._far_reports
    await until(lambda: house._far_reports > reports + 1)
    await door.close()
    assert "does not close" not in caplog.text
