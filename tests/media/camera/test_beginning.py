"""Whoever begins to watch just after a keyframe begins with that one: the camera makes no other for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from intercom.media.camera.shared import Camera
from intercom.media.camera.stream import BEGINNING_S, QUEUE_LIMIT
from intercom.media.codec.h264 import AccessUnit
from tests.media.camera.filmed import LIMIT_S, FilmedSource


class Watched:
    """A camera that one consumer has watched from the beginning, and the time."""

    def __init__(self, source: FilmedSource) -> None:
        self.now_s = 0.0
        self.source = source
        self.camera = Camera(source, clock=lambda: self.now_s, stall_s=30, start_s=30)
        self._first = self.camera.frames()

    async def film(self, pictures: int = 1, *, keyframe: bool = False) -> list[AccessUnit]:
        """Let the camera deliver pictures, the first a keyframe or not."""
        units = [self.source.film(keyframe=keyframe and index == 0) for index in range(pictures)]
        async with asyncio.timeout(LIMIT_S):
            for _ in units:
                await self._first.next()
        return units


@pytest.fixture
async def watched(source: FilmedSource) -> AsyncIterator[Watched]:
    watched = Watched(source)
    yield watched
    await asyncio.to_thread(watched.camera.stop)


async def test_who_comes_after_a_young_keyframe_begins_with_it_and_asks_for_none(watched: Watched) -> None:
    units = await watched.film(4, keyframe=True)
    watched.now_s += BEGINNING_S
    asked = watched.source.keyframe_requests
    with watched.camera.frames() as late:
        assert [await late.next() for _ in units] == units
        units = await watched.film(2)
        assert [await late.next() for _ in units] == units
    assert watched.source.keyframe_requests == asked


async def test_who_comes_later_begins_with_a_keyframe_of_their_own(watched: Watched) -> None:
    await watched.film(4, keyframe=True)
    watched.now_s += BEGINNING_S + 0.01
    with watched.camera.frames() as late:
        next_unit = asyncio.ensure_future(late.next())
        keyframe = (await watched.film(keyframe=True))[0]
        assert await next_unit == keyframe


async def test_who_was_too_slow_goes_on_where_they_were_and_sees_no_picture_twice(watched: Watched) -> None:
    with watched.camera.frames() as slow:
        units = await watched.film(QUEUE_LIMIT - 1, keyframe=True)
        assert [await slow.next() for _ in units[:5]] == units[:5]
        slow.start_over()
        assert [await slow.next() for _ in units[5:]] == units[5:]


async def test_nothing_from_before_a_forbidden_time_is_shown(watched: Watched) -> None:
    units = await watched.film(2, keyframe=True)
    watched.camera.forbid(True)
    watched.camera.forbid(False)
    with watched.camera.frames() as late:
        next_unit = asyncio.ensure_future(late.next())
        watched.source.film(keyframe=True)
        async with asyncio.timeout(LIMIT_S):
            assert await next_unit not in units
