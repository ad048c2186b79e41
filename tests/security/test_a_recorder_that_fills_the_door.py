"""A recorder with an account, taken over, opens connections without end, and floods those that it has."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from intercom.config import RtspConfig
from intercom.integrations.rtsp import server
from intercom.integrations.rtsp.connection import MOST_A_SECOND
from intercom.integrations.rtsp.server import MOST_BESIDE_VIEWERS
from intercom.media.sound.engine import AudioEngine
from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import WatchedDoor, pattern_camera, until, watched_door
from tests.media.calls import running_engine, simulated


@pytest.fixture
def engine() -> Iterator[AudioEngine]:
    with running_engine(simulated()) as engine:
        yield engine


@pytest.fixture
async def narrow(tmp_path: Path, engine: AudioEngine) -> AsyncIterator[WatchedDoor]:
    """Return a door that one may watch at once."""
    with pattern_camera() as camera:
        async with watched_door(tmp_path, engine, camera, RtspConfig(most_viewers=1)) as door:
            yield door


async def test_of_its_connections_the_oldest_that_does_not_watch_gives_way(narrow: WatchedDoor) -> None:
    async with AsyncExitStack() as stack:

        async def proved() -> RawClient:
            client = await stack.enter_async_context(RawClient(narrow.server.port, narrow.viewer))
            assert (await client.ask("GET_PARAMETER")).status == 200
            return client

        watches = await proved()
        await watches.watch()
        oldest, *others = [await proved() for _ in range(MOST_BESIDE_VIEWERS)]
        assert (await oldest.ask("GET_PARAMETER")).status == 200
        newcomer = await proved()
        await oldest.ends()
        for client in (watches, *others, newcomer):
            assert (await client.ask("GET_PARAMETER")).status == 200


async def test_another_account_keeps_its_own(narrow: WatchedDoor) -> None:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(RawClient(narrow.server.port, narrow.talker))
        assert (await other.ask("GET_PARAMETER")).status == 200
        for _ in range(MOST_BESIDE_VIEWERS + 3):
            client = await stack.enter_async_context(RawClient(narrow.server.port, narrow.viewer))
            assert (await client.ask("GET_PARAMETER")).status == 200
        assert (await other.ask("GET_PARAMETER")).status == 200


@pytest.mark.parametrize("flood", [b"$\x07\0\0", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"])
async def test_one_that_floods_is_let_go(tmp_path: Path, engine: AudioEngine, flood: bytes) -> None:
    with pattern_camera() as camera:
        async with (
            watched_door(tmp_path, engine, camera) as door,
            RawClient(door.server.port, door.viewer) as recorder,
        ):
            assert (await recorder.ask("GET_PARAMETER")).status == 200
            recorder.writer.write(flood * 100 * MOST_A_SECOND)
            await recorder.ends()


async def test_one_that_reads_nothing_and_says_goodbye_leaves_no_connection_behind(
    tmp_path: Path, engine: AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its socket would wait for ever to send what it does not take."""
    monkeypatch.setattr(server, "SEND_BUFFER_BYTES", 4096)
    with pattern_camera() as camera:
        async with (
            watched_door(tmp_path, engine, camera) as door,
            RawClient(door.server.port, door.viewer) as recorder,
        ):
            taken: socket.socket = recorder.writer.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            await recorder.watch()
            recorder.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a reader's transport reads, too
            (connection,) = door.server._connections
            transport = connection._writer.transport
            await until(lambda: transport.get_write_buffer_size() > 0)
            recorder.writer.write_eof()
            await until(lambda: transport.get_extra_info("socket").fileno() < 0)
