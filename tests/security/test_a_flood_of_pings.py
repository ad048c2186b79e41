"""Pings, pongs and empty frames by the hundred thousand on one socket: each costs the space more than its sender."""

from __future__ import annotations

import asyncio
import time

import pytest

from intercom.space.switch.exchange import BURST, RATE_PER_S

from .house import AttackedHouse, attacked_house

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PING, PONG = b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0"
FLOOD = 4_000
"""Frames at once; a client that is one sends a ping in 20 s."""

WAIT_S = 60.0
CLOSE = 0x88
"""First byte of the frame with which a socket is closed that does not show in time that it lives."""


async def socket_of(house: AttackedHouse) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await house.raw("127.0.0.9")
    writer.write(UPGRADE)
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


@pytest.mark.parametrize("frame", [PING, PONG])
async def test_a_socket_that_floods_is_ended(frame: bytes) -> None:
    async with attacked_house() as house:
        began = time.monotonic()
        reader, writer = await socket_of(house)
        writer.write(frame * FLOOD)
        try:
            answers = await asyncio.wait_for(reader.read(), WAIT_S)
        except ConnectionResetError:
            answers = b""
        writer.close()
        assert CLOSE not in answers[::2]
        assert len(answers) / 2 <= BURST + RATE_PER_S * (time.monotonic() - began)


async def test_a_ping_is_answered_with_its_own_words() -> None:
    async with attacked_house() as house:
        reader, writer = await socket_of(house)
        writer.write(b"\x89\x82\0\0\0\0hi")
        assert await asyncio.wait_for(reader.readexactly(4), WAIT_S) == b"\x8a\x02hi"
        writer.close()
