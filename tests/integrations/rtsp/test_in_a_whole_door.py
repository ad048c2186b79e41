"""A whole door whose configuration serves RTSP: a recorder watches while the door rings, and the status names it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from intercom.config import AudioConfig, RtspConfig
from intercom.door.machine import State
from intercom.integrations.rtsp import server
from intercom.integrations.rtsp.accounts import Accounts
from tests.e2e.home import PATIENCE_S, Home, home_config
from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import until
from tests.ports import reserved_port


async def test_a_recorder_watches_a_door_that_rings_and_talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PICTURE_S", PATIENCE_S)  # a cold camera on a busy machine
    with reserved_port() as port:
        rtsp = RtspConfig(listen=f"127.0.0.1:{port}", sound=True)
        home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), rtsp=rtsp))
        account = Accounts(tmp_path).add("nvr", talk=False)
        await home.start()
        door = home.door
        assert door is not None
        try:
            await until(lambda: "rtsp" in door.handlers.status()["integrations"])
            async with RawClient(port, account) as recorder:
                await recorder.watch("door", "audio")
                await recorder.packet()
                assert [each["name"] for each in door.handlers.status()["integrations"]["rtsp"]["viewers"]] == ["nvr"]
                door.calls.ring("/public/echo")
                await home.until(State.IN_CALL)
                before = len(recorder.packets)
                while len(recorder.packets) < before + 20:
                    await recorder.packet()
                await door.calls.hang_up()
                await home.until(State.IDLE)
                await recorder.packet()
        finally:
            await asyncio.wait_for(home.stop(), PATIENCE_S)
