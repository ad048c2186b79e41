"""A stranger without an account floods the port for recorders, to freeze the door or to keep a recorder out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from intercom.integrations.rtsp import connection, server
from intercom.integrations.rtsp.connection import MOST_UNPROVED
from intercom.integrations.rtsp.server import MOST_STRANGERS, MOST_STRANGERS_OF_A_MACHINE
from intercom.media.sound.engine import AudioEngine
from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import WatchedDoor, door, engine, pattern_camera, watched_door

__all__ = ["door", "engine"]

OPTIONS = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
EMPTY_PACKET = b"$\0\0\0"
ELSEWHERE = "127.0.0.2"


@pytest.mark.parametrize("flood", [EMPTY_PACKET, OPTIONS, b"\r\n"])
async def test_eight_who_flood_are_let_go(door: WatchedDoor, monkeypatch: pytest.MonkeyPatch, flood: bytes) -> None:
    monkeypatch.setattr(connection, "PROOF_S", float("inf"))
    async with AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(RawClient(door.server.port)) for _ in range(8)]
        for stranger in strangers:
            stranger.writer.write(flood * (4_000_000 // len(flood)))
        for stranger in strangers:
            await stranger.ends()


@pytest.mark.parametrize("flood", [EMPTY_PACKET, OPTIONS])
async def test_the_loop_turns_between_two_reads_of_what_they_send(
    door: WatchedDoor, monkeypatch: pytest.MonkeyPatch, flood: bytes
) -> None:
    """What is in a reader's buffer is read without waiting: nobody else would get a turn before it is empty."""
    turns = 0
    reads: list[int] = []
    read_on = asyncio.StreamReader.read

    def turn() -> None:
        nonlocal turns, turning
        turns += 1
        turning = asyncio.get_running_loop().call_soon(turn)

    async def noted(reader: asyncio.StreamReader, n: int = -1) -> bytes:
        if n in (connection.READ_BYTES, connection.STRANGERS_READ_BYTES):
            reads.append(turns)
        return await read_on(reader, n)

    turning = asyncio.get_running_loop().call_soon(turn)
    monkeypatch.setattr(asyncio.StreamReader, "read", noted)
    monkeypatch.setattr(connection, "MOST_UNPROVED", 10**9)
    try:
        async with RawClient(door.server.port) as stranger:
            stranger.writer.write(flood * 20_000)
            stranger.writer.write_eof()
            await stranger.ends()
    finally:
        turning.cancel()
    assert len(reads) > 3
    assert len(set(reads)) == len(reads)


async def test_whoever_asks_a_few_times_before_their_proof_is_answered(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as recorder:
        for _ in range(MOST_UNPROVED - 2):
            assert (await recorder.ask("OPTIONS")).status == 200
        assert (await recorder.ask("DESCRIBE")).status == 200


async def test_their_comings_and_goings_keep_no_recorder_of_another_machine_out(door: WatchedDoor) -> None:
    async with AsyncExitStack() as stack:
        recorder = await stack.enter_async_context(RawClient(door.server.port, door.viewer, source=ELSEWHERE))
        assert (await recorder.ask_once("DESCRIBE")).status == 401
        for _ in range(MOST_STRANGERS + 1):
            stranger = await stack.enter_async_context(RawClient(door.server.port))
            assert (await stranger.ask("OPTIONS")).status == 200
        assert (await recorder.ask("DESCRIBE")).status == 200


async def test_one_machine_holds_a_few_connections_without_a_proof(door: WatchedDoor) -> None:
    async with AsyncExitStack() as stack:
        first, *_ = [
            await stack.enter_async_context(RawClient(door.server.port)) for _ in range(MOST_STRANGERS_OF_A_MACHINE + 1)
        ]
        await first.ends()


async def test_a_machine_that_connects_again_and_again_waits_and_another_does_not(
    tmp_path: Path, engine: AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_PER_S", 1e-9)
    monkeypatch.setattr(server, "CONNECTIONS_BURST", 0.2)  # this machine itself may ten times as much: twice
    with pattern_camera() as camera:
        async with watched_door(tmp_path, engine, camera) as door:
            for _ in range(2):
                async with RawClient(door.server.port) as stranger:
                    assert (await stranger.ask("OPTIONS")).status == 200
            async with RawClient(door.server.port) as stranger:
                await stranger.ends()
            async with RawClient(door.server.port, door.viewer, source=ELSEWHERE) as recorder:
                assert (await recorder.ask("DESCRIBE")).status == 200
