"""A stranger in the network, without an account, tries to watch, to listen, to talk, and to keep others out."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from intercom.integrations.rtsp import connection
from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.conversation import MOST_GUESSES
from intercom.integrations.rtsp.server import MOST_STRANGERS
from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import WatchedDoor, door, engine

__all__ = ["door", "engine"]

TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN"])
async def test_they_get_nothing_and_start_no_camera(door: WatchedDoor, method: str) -> None:
    async with RawClient(door.server.port) as stranger:
        assert (await stranger.ask(method, "door/video", Transport=TCP)).status == 401
        assert not door.camera.is_running


async def test_sound_that_they_send_is_not_played(door: WatchedDoor) -> None:
    async with RawClient(door.server.port) as stranger:
        stranger.writer.write(b"$\x00\x00\xac\x80\x08" + bytes(170))
        assert (await stranger.ask("OPTIONS")).status == 200
        assert door.engine.beside.voice is None


async def test_guessing_ends_the_connection(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, Account("viewer", "guess")) as stranger:
        assert (await stranger.ask("DESCRIBE")).status == 401
        for _ in range(MOST_GUESSES - 1):
            assert (await stranger.ask_once("DESCRIBE")).status == 401
        await stranger.ends()


async def test_guessing_again_and_again_does_not_fill_the_log(
    door: WatchedDoor, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        async with RawClient(door.server.port, Account("viewer", "guess")) as stranger:
            await stranger.ask("DESCRIBE")
            for _ in range(MOST_GUESSES - 1):
                await stranger.ask_once("DESCRIBE")
            await stranger.ends()
    assert [each.levelname for each in caplog.records].count("WARNING") == 1


async def test_connections_that_say_nothing_keep_no_recorder_out(door: WatchedDoor) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2 * MOST_STRANGERS):
            await stack.enter_async_context(RawClient(door.server.port))
        recorder = await stack.enter_async_context(RawClient(door.server.port, door.viewer))
        await recorder.watch()
        await recorder.packet()


async def test_a_connection_that_proves_nothing_is_closed(door: WatchedDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PROOF_S", 0.0)
    async with RawClient(door.server.port) as stranger:
        await stranger.ends()
