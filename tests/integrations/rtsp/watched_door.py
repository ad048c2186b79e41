"""A door that is watched by RTSP: a real camera of a test pattern, a real audio engine, the real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from intercom.config import Config, RtspConfig
from intercom.integrations.access import Access
from intercom.integrations.rtsp import server
from intercom.integrations.rtsp.accounts import Account, Accounts
from intercom.integrations.rtsp.server import RtspServer
from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import running_engine, simulated

SMALL = VideoFormat(320, 180, 15, 400_000)
LIMIT_S = 60.0
"""Limit of every wait for what must come, however busy the machine is."""


class AccessToMedia:
    """What the server asks of the door."""

    def __init__(self, camera: Camera | None, engine: AudioEngine) -> None:
        self.camera = camera
        self.sound = engine.beside
        self.failures: list[BaseException] = []

    def failed(self, error: BaseException) -> None:
        self.failures.append(error)


class WatchedDoor:
    """A running server, with an account for who may only watch and one for who may talk."""

    def __init__(self, server: RtspServer, accounts: Accounts, camera: Camera, engine: AudioEngine) -> None:
        self.server = server
        self.accounts = accounts
        self.camera = camera
        self.engine = engine
        self.viewer = accounts.add("viewer", talk=False)
        self.talker = accounts.add("talker", talk=True)
        server._accounts.follow()

    def url(self, stream: str = "door", account: Account | None = None) -> str:
        who = account or self.viewer
        return f"rtsp://{who.name}:{who.password}@127.0.0.1:{self.server.port}/{stream}"

    @property
    def document(self) -> dict[str, Any]:
        return dict(self.server.document())


@contextmanager
def pattern_camera(video: VideoFormat = SMALL) -> Iterator[Camera]:
    camera = Camera(PatternSource(video), start_s=LIMIT_S, stall_s=LIMIT_S)
    try:
        yield camera
    finally:
        camera.stop()


@asynccontextmanager
async def watched_door(
    state_dir: Path, engine: AudioEngine, camera: Camera, settings: RtspConfig | None = None
) -> AsyncIterator[WatchedDoor]:
    rtsp = replace(settings or RtspConfig(sound=True), listen="127.0.0.1:0")
    access = AccessToMedia(camera, engine)
    serving = RtspServer(Config(rtsp=rtsp), state_dir, cast(Access, access))
    await serving.start()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server, "PICTURE_S", LIMIT_S)  # a cold camera on a busy machine
        try:
            yield WatchedDoor(serving, Accounts(state_dir), camera, engine)
        finally:
            await serving.stop()
        assert access.failures == []


async def until(holds: Any) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def engine() -> Iterator[AudioEngine]:
    """A simulated card's engine."""
    with running_engine(simulated()) as engine:
        yield engine


@pytest.fixture
async def door(tmp_path: Path, engine: AudioEngine) -> AsyncIterator[WatchedDoor]:
    """A door with a picture and a sound, and its server of streams."""
    with pattern_camera() as camera:
        async with watched_door(tmp_path, engine, camera) as door:
            yield door
