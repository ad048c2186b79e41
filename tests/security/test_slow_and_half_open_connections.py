"""Machines on the network that hold hundreds of connections half open: everybody else is served all the while."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from intercom.space.http.connection_limits import GUESTS_LIMIT, members_limit

from .house import AttackedHouse, attacked_house

MACHINES = 8
FLOODERS = [f"127.0.1.{number}" for number in range(1, MACHINES + 1)]
EACH = 100
"""Connections that each of them holds, or tries to: together more than the space has descriptors."""
PHONE, TABLET, DOOR = "127.0.0.2", "127.0.0.3", "127.0.0.1"
RETRY_S = 4.0
"""Pause of a flooder before it makes a connection anew: together some 200 a second."""
WAIT_S = 60.0
"""Time limit of whatever a newcomer does in the worst of the flood; the flood itself needs most of this machine."""

HALF_A_BODY = b"POST /api/space/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
HALF_A_HEAD = b"GET /station/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
A_SOCKET_WITHOUT_A_WORD = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HALF_A_HANDSHAKE = b"\x16\x03\x01\x02\x00\x01"
NOTHING = b""
WAYS = {
    "half a body": HALF_A_BODY,
    "half a head": HALF_A_HEAD,
    "a socket without a word": A_SOCKET_WITHOUT_A_WORD,
    "nothing": NOTHING,
}


@contextlib.asynccontextmanager
async def flooded(house: AttackedHouse, words: bytes) -> AsyncIterator[None]:
    """All flooders hold as many connections as they get, and make a new one for each that is taken from them."""

    async def hold(address: str) -> None:
        while True:
            writer = None
            try:
                reader, writer = await house.raw(address)
                writer.write(words)
                while await reader.read(4096):
                    pass
            except OSError:
                pass
            finally:
                if writer is not None:
                    writer.close()
            await asyncio.sleep(RETRY_S)

    holding = [asyncio.create_task(hold(address)) for address in FLOODERS for _ in range(EACH)]
    try:
        async with asyncio.timeout(WAIT_S):
            while house.descriptors < GUESTS_LIMIT:
                await asyncio.sleep(0.05)
        yield
    finally:
        for each in holding:
            each.cancel()
        await asyncio.wait(holding)


async def pair(house: AttackedHouse) -> None:
    body = {"code": house.code}
    async with house.machine(PHONE) as http, http.post(f"{house.url}/api/space/pair", json=body) as answer:
        assert answer.status == 201


async def register(house: AttackedHouse) -> None:
    """What a door does at its start, on the space's own machine."""
    async with house.machine(DOOR) as http:
        headers = {"Authorization": f"Bearer {house.secret}"}
        async with http.post(f"{house.url}/api/space/token", headers=headers) as answer:
            house.token = (await answer.json())["token"]
        await (await house.member(http)).close()


@pytest.mark.parametrize("newcomer", [pair, register])
@pytest.mark.parametrize("way", WAYS)
async def test_a_newcomer_gets_in_while_others_flood(
    way: str, newcomer: Callable[[AttackedHouse], Awaitable[None]]
) -> None:
    async with attacked_house() as house, flooded(house, WAYS[way]):
        await asyncio.wait_for(newcomer(house), WAIT_S)


@pytest.mark.parametrize("newcomer", [pair, register])
async def test_a_newcomer_gets_in_while_others_begin_handshakes(
    newcomer: Callable[[AttackedHouse], Awaitable[None]],
) -> None:
    async with attacked_house(tls="on") as house, flooded(house, HALF_A_HANDSHAKE):
        await asyncio.wait_for(newcomer(house), WAIT_S)


async def test_a_members_socket_is_served_while_others_flood() -> None:
    async with attacked_house() as house, house.machine(TABLET) as http:
        kitchen = await house.member(http)
        async with flooded(house, HALF_A_BODY):
            for _ in range(20):
                await kitchen.rpc("signalwire.ping")
        await kitchen.close()


async def test_a_flood_leaves_descriptors_and_a_few_lines_in_the_log() -> None:
    async with attacked_house(tls="on") as house:
        lines = len(house.log_lines)
        async with flooded(house, HALF_A_HANDSHAKE):
            await asyncio.sleep(2)
            assert house.descriptors < GUESTS_LIMIT + members_limit(1024)
        assert len(house.log_lines) - lines <= 5


@pytest.mark.parametrize("words", [HALF_A_BODY, HALF_A_HEAD, NOTHING])
async def test_a_connection_that_does_not_get_on_is_ended_in_time(words: bytes) -> None:
    async with attacked_house() as house:
        began = time.monotonic()
        reader, writer = await house.raw(PHONE)
        writer.write(words)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), WAIT_S)
        assert time.monotonic() - began > 8, "a slow client has its time"
        writer.close()
