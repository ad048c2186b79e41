"""A recorder's account is taken away, as it was stolen: it sees and hears nothing any more, from that moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.integrations.rtsp.conversation import BACKCHANNEL
from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import pattern_camera, watched_door
from tests.media.calls import running_engine, simulated

TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


async def test_what_it_watches_ends_and_it_does_not_come_back(tmp_path: Path) -> None:
    with running_engine(simulated()) as engine, pattern_camera() as camera:
        async with watched_door(tmp_path, engine, camera) as door:
            async with RawClient(door.server.port, door.viewer) as recorder:
                await recorder.watch()
                door.accounts.remove("viewer")
                await recorder.ends()
            async with RawClient(door.server.port, door.viewer) as recorder:
                assert (await recorder.ask("DESCRIBE")).status == 401


@pytest.mark.parametrize("stream", ["door", "door-pcma"])
async def test_one_that_may_only_watch_does_not_talk(tmp_path: Path, stream: str) -> None:
    with running_engine(simulated()) as engine, pattern_camera() as camera:
        async with (
            watched_door(tmp_path, engine, camera) as door,
            RawClient(door.server.port, door.viewer) as recorder,
        ):
            assert (await recorder.ask("DESCRIBE", stream, Require=BACKCHANNEL)).status == 551
            assert (await recorder.ask("SETUP", f"{stream}/talk", Transport=TCP)).status == 404
            await recorder.watch(stream)
            recorder.writer.write(b"$\x00\x00\xac\x80\x08" + bytes(170))
            assert (await recorder.ask("GET_PARAMETER", stream)).status == 200
            assert engine.beside.voice is None
