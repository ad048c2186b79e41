"""A machine in the network holds hundreds of connections to the door's ONVIF, silent or half open."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path

from intercom.space.http.connection_limits import GUESTS_PER_MACHINE_LIMIT
from tests.integrations.onvif.found_door import FoundDoor, found_door
from tests.integrations.onvif.messages import DEVICE, ask, proved

SILENT = 300
FLOODER = "127.0.0.2"
LIMIT_S = 60.0
HALF_A_MESSAGE = f"POST {DEVICE} HTTP/1.1\r\nHost: door\r\nContent-Length: 1000\r\n\r\n<".encode()


async def until_it_ends(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        pass


async def connect(door: FoundDoor, held: AsyncExitStack) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.server.port, local_addr=(FLOODER, 0))
    held.callback(writer.close)
    return reader, writer


async def test_few_of_them_stay_and_a_newcomer_is_answered(tmp_path: Path) -> None:
    async with found_door(tmp_path) as door, AsyncExitStack() as held, asyncio.timeout(LIMIT_S):
        silent = [(await connect(door, held))[0] for _ in range(SILENT)]
        assert (await ask(door, proved("<tds:GetDeviceInformation/>", door.viewer)))[0] == 200
        ends = [asyncio.create_task(until_it_ends(reader)) for reader in silent]
        for ended in islice(asyncio.as_completed(ends), SILENT - GUESTS_PER_MACHINE_LIMIT):
            await ended


async def test_a_message_that_does_not_come_to_its_end_is_given_up(tmp_path: Path) -> None:
    async with (
        found_door(tmp_path, body_limit_s=0.05) as door,
        AsyncExitStack() as held,
        asyncio.timeout(LIMIT_S),
    ):
        reader, writer = await connect(door, held)
        writer.write(HALF_A_MESSAGE)
        assert b" 408 " in await reader.readline()
