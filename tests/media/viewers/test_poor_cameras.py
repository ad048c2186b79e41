"""Viewers of a camera that is slow, or freezes: they wait for it, and see on by themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.events import CameraLost
from intercom.media.camera.shared import Camera
from intercom.media.camera.source import Deliver
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.codec.h264 import AccessUnit
from intercom.media.viewers.viewers import Viewers
from tests.media.calls import until
from tests.media.camera.filmed import Told
from tests.media.viewers.far_end import FarEnd

LOOK_S = 0.01


class HeldPattern(PatternSource):
    """The test pattern, of which nothing comes while `films` is not set."""

    def __init__(self) -> None:
        super().__init__(VideoFormat(320, 180, 15, 400_000))
        self.films = threading.Event()

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        def hold(unit: AccessUnit) -> None:
            while not self.films.wait(LOOK_S):
                if stopping.is_set():
                    return
            deliver(unit)

        super().run(hold, stopping)


class Watched:
    """A camera, its viewers and what both tell."""

    def __init__(self) -> None:
        self.pattern = HeldPattern()
        self.told = Told()
        self.over: list[tuple[str, str]] = []
        self.camera = Camera(self.pattern, on_event=self.told, stall_s=0.5, start_s=30.0, retry_s=0.02)
        self.viewers = Viewers(self.camera, on_over=lambda view, why: self.over.append((view, why)))

    async def is_watched_by(self, far_end: FarEnd) -> None:
        await far_end.accept(await self.viewers.admit("view", await far_end.offer(), []))


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    watched = Watched()
    yield watched
    await watched.viewers.stop()
    await asyncio.to_thread(watched.camera.stop)


async def test_a_viewer_waits_for_a_camera_that_is_slow(watched: Watched) -> None:
    async with FarEnd() as far_end:
        await watched.is_watched_by(far_end)
        assert watched.viewers.pictures_sent == 0
        watched.pattern.films.set()
        await far_end.sees()
        assert watched.over == []


async def test_a_viewer_of_a_camera_that_froze_sees_on_once_it_films_again(watched: Watched) -> None:
    watched.pattern.films.set()
    async with FarEnd() as far_end:
        await watched.is_watched_by(far_end)
        await far_end.sees()
        watched.pattern.films.clear()
        await watched.told.wait_for(CameraLost)
        seen = watched.viewers.pictures_sent
        watched.pattern.films.set()
        await until(lambda: watched.viewers.pictures_sent > seen)
        assert watched.over == []
