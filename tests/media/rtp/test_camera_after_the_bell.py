"""The camera of a call starts when the call is described: its start would hold the ring up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.events import CameraEvent, CameraStarted
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.provider import DoorMedia
from intercom.media.rtp.connection import CAMERA_AFTER_S
from intercom.media.rtp.peer import DoorCall
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import LIMIT_S
from tests.media.events import Reported


class Sensor:
    """A camera, and when it was started."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.started = asyncio.Event()
        self.camera = Camera(PatternSource(VideoFormat(320, 180, 25, 300_000)), on_event=self._happened)

    def _happened(self, event: CameraEvent) -> None:
        if isinstance(event, CameraStarted):
            self._loop.call_soon_threadsafe(self.started.set)


@pytest.fixture
async def sensor() -> AsyncIterator[Sensor]:
    sensor = Sensor()
    yield sensor
    await asyncio.to_thread(sensor.camera.stop, LIMIT_S)


@pytest.fixture
async def call(sensor: Sensor, engine: AudioEngine) -> AsyncIterator[DoorCall]:
    call = DoorMedia(engine, lambda: sensor.camera, on_event=Reported()).open("call", [])
    yield call
    await call.close()


async def test_the_camera_starts_after_the_offer_and_before_an_answer(sensor: Sensor, call: DoorCall) -> None:
    await call.create_offer()
    assert not sensor.camera.is_running
    async with asyncio.timeout(LIMIT_S):
        await sensor.started.wait()


async def test_a_call_that_ends_at_once_never_starts_the_camera(sensor: Sensor, call: DoorCall) -> None:
    await call.create_offer()
    await call.close()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(2 * CAMERA_AFTER_S, later.set)
    await later.wait()
    assert not sensor.camera.is_running
