"""The space's own TURN server, whatever happens to it and to the machine's addresses."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.turn import companion as turn_companion
from intercom.space.turn.companion import TurnCompanion

pytestmark = pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed")

WAIT_S = 60.0
NOON = 1_800_000_000.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a start wait for the end of coturn's first try, which takes its time on a busy machine."""
    monkeypatch.setattr(turn_companion, "FIRST_TRY_S", WAIT_S)


async def until_it_runs(companion: TurnCompanion) -> None:
    async with asyncio.timeout(WAIT_S):
        while companion.server is None:
            await asyncio.sleep(0.01)


async def test_a_turn_server_at_an_address_that_is_not_there_yet_does_not_end_the_space(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    space = Space(SpaceConfig(listen="127.0.0.1:0", turn_listen="192.0.2.1:3478"), tmp_path)
    with caplog.at_level(logging.INFO):
        await space.start()
    try:
        assert "no TURN server" in space.summary
        assert "The TURN server does not run" in caplog.text
        assert space.ice.of(space.store.add_subscriber("kitchen"), "intercom/1") == []
    finally:
        await space.stop()


async def test_a_turn_server_that_dies_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(turn_companion, "PAUSE_FIRST_S", 0.1)
    companion = TurnCompanion(tmp_path, lambda: ("127.0.0.1", 0))
    with caplog.at_level(logging.INFO):
        await companion.start()
        try:
            first = companion.server
            assert first is not None
            given = first.ice_server("anna", NOON).credential
            assert first._process is not None
            first._process.kill()
            async with asyncio.timeout(WAIT_S):
                while companion.server is first:
                    await asyncio.sleep(0.01)
            await until_it_runs(companion)
            assert companion.server is not None
            assert companion.server.ice_server("anna", NOON).credential == given
        finally:
            await companion.stop()
    assert "The TURN server runs again" in caplog.text


async def test_a_turn_server_moves_with_the_address_of_the_machine(tmp_path: Path) -> None:
    where = [None, "127.0.0.1", "127.0.0.2"]
    companion = TurnCompanion(tmp_path, lambda: (where[0], 0))
    await companion.start()
    try:
        assert "no address yet" in companion.fault
        del where[0]
        companion.addresses_changed()
        await until_it_runs(companion)
        assert companion.server is not None
        assert "127.0.0.1" in companion.server.url
        del where[0]
        companion.addresses_changed()
        async with asyncio.timeout(WAIT_S):
            while companion.server is None or "127.0.0.2" not in companion.server.url:
                await asyncio.sleep(0.01)
    finally:
        await companion.stop()
