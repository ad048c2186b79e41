"""Somebody in the network records a recorder's messages, holds them back or changes them, to open the door with one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intercom.integrations.onvif.soap import envelope
from tests.integrations.onvif.found_door import FoundDoor, found_door
from tests.integrations.onvif.messages import DEVICE, OPEN, answered, ask, challenge_of, proved

LIMIT_S = 60.0
STALLED = 32
HALF_A_MESSAGE = f"POST {DEVICE} HTTP/1.1\r\nHost: door\r\nContent-Length: 1000\r\n\r\n<".encode()
LOOK = "<tds:GetDeviceInformation/>"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[FoundDoor]:
    async with found_door(tmp_path) as door:
        yield door


async def test_a_proof_that_was_held_back_opens_nothing(door: FoundDoor) -> None:
    await challenge_of(door, proved(OPEN, door.opener))
    assert door.access.asked == []


async def test_an_answered_challenge_opens_once(door: FoundDoor) -> None:
    message = proved(OPEN, door.opener)
    said = answered(await challenge_of(door, message), door.opener, message)
    assert (await ask(door, message, Authorization=said))[0] == 200
    assert (await ask(door, message, Authorization=said))[0] == 401
    assert len(door.access.asked) == 1


async def test_an_answer_for_another_message_opens_nothing(door: FoundDoor) -> None:
    """Whoever sits between the two hands the recorder the door's challenge for whatever it asks, and swaps the body."""
    said = answered(await challenge_of(door), door.opener, envelope(LOOK))
    assert (await ask(door, envelope(OPEN), Authorization=said))[0] == 401
    assert door.access.asked == []


@pytest.mark.parametrize("qop", ["auth", ""])
async def test_an_answer_that_does_not_cover_the_message_opens_nothing(door: FoundDoor, qop: str) -> None:
    """Whoever sits between the two takes the demand out of the door's challenge."""
    said = answered(await challenge_of(door), door.opener, envelope(LOOK), qop=qop)
    assert (await ask(door, envelope(OPEN), Authorization=said))[0] == 401
    assert door.access.asked == []


async def test_the_proof_of_an_opening_counts_for_nothing_else(door: FoundDoor) -> None:
    message = proved(OPEN, door.opener)
    await challenge_of(door, message)
    recorded = message.replace(OPEN.encode(), LOOK.encode())
    assert (await ask(door, recorded))[0] == 401


async def test_a_proof_of_a_clock_that_is_ahead_does_not_become_good_later(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with found_door(tmp_path, now=lambda: now) as door:
        ahead = proved(LOOK, door.opener, now + timedelta(hours=1))
        assert (await ask(door, ahead))[0] == 401
        now += timedelta(hours=1)
        assert (await ask(door, ahead))[0] == 401
        assert (await ask(door, proved(LOOK, door.opener, now)))[0] == 200


async def test_messages_that_stall_keep_no_recorder_from_showing_its_proof(door: FoundDoor) -> None:
    async with AsyncExitStack() as held:
        for _ in range(STALLED):
            _, writer = await asyncio.open_connection("127.0.0.1", door.server.port)
            held.callback(writer.close)
            writer.write(HALF_A_MESSAGE)
        async with asyncio.timeout(LIMIT_S):
            message = proved(LOOK, door.opener)
            assert (await ask(door, message))[0] == 200
            assert (await ask(door, message))[0] == 401
