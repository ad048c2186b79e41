"""Viewers with real peers: what they see, what they cost, when they end, and who is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.source import Deliver
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.codec.h264 import AccessUnit
from intercom.media.errors import ViewRefusedError
from intercom.media.viewers.viewers import MOST_VIEWERS, Viewers
from tests.media.calls import LIMIT_S, until
from tests.media.viewers.far_end import FarEnd

SMALL = VideoFormat(320, 180, 15, 400_000)


class CountedPattern(PatternSource):
    """The test pattern, whose encoded pictures are counted."""

    encoded = 0
    runs = 0

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        self.runs += 1

        def count(unit: AccessUnit) -> None:
            self.encoded += 1
            deliver(unit)

        super().run(count, stopping)


@pytest.fixture
def pattern() -> CountedPattern:
    return CountedPattern(SMALL)


@pytest.fixture
def camera(pattern: CountedPattern) -> Camera:
    """A camera that a machine may starve for a while without its being started again."""
    return Camera(pattern, start_s=LIMIT_S, stall_s=LIMIT_S)


@pytest.fixture
def over() -> list[tuple[str, str]]:
    """The views that ended by themselves, and why."""
    return []


@pytest.fixture
async def viewers(camera: Camera, over: list[tuple[str, str]]) -> AsyncIterator[Viewers]:
    viewers = Viewers(camera, on_over=lambda view, why: over.append((view, why)))
    yield viewers
    await viewers.stop()
    await asyncio.to_thread(camera.stop)


async def watch(viewers: Viewers, far_end: FarEnd, view: str = "view") -> None:
    await far_end.accept(await viewers.admit(view, await far_end.offer(), []))


async def test_three_viewers_see_the_pictures_of_one_encoder(viewers: Viewers, pattern: CountedPattern) -> None:
    async with FarEnd() as one, FarEnd() as two, FarEnd() as three:
        for number, far_end in enumerate((one, two, three)):
            await watch(viewers, far_end, f"view {number}")
        pictures = [await far_end.sees(5) for far_end in (one, two, three)]
        assert {(picture.width, picture.height) for picture in pictures} == {(320, 180)}
        encoded, sent = pattern.encoded, viewers.pictures_sent
        await until(lambda: viewers.pictures_sent - sent > pattern.encoded - encoded + 10)
        assert pattern.runs == 1


async def test_a_viewer_is_sent_no_sound(viewers: Viewers) -> None:
    async with FarEnd() as far_end:
        far_end.peer.addTransceiver("audio", "recvonly")
        answer = await viewers.admit("view", await far_end.offer(), [])
    assert "m=audio 0 " in answer
    assert "a=sendonly" in answer


async def test_the_camera_stops_when_its_last_viewer_is_ended(viewers: Viewers, camera: Camera) -> None:
    async with FarEnd() as far_end:
        await watch(viewers, far_end)
        await far_end.sees()
        assert viewers.end("view")
        await until(lambda: not camera.is_running)
        assert len(viewers) == 0


async def test_a_far_end_that_leaves_frees_its_place(viewers: Viewers, over: list[tuple[str, str]]) -> None:
    async with FarEnd() as far_end:
        await watch(viewers, far_end)
    await until(lambda: over == [("view", "left")])
    assert "view" not in viewers


async def test_a_camera_that_is_forbidden_ends_its_views(
    viewers: Viewers, camera: Camera, over: list[tuple[str, str]]
) -> None:
    async with FarEnd() as far_end:
        await watch(viewers, far_end)
        await far_end.sees()
        camera.forbid(True)
        await until(lambda: over == [("view", "off")])


async def test_a_viewer_that_is_ended_while_it_begins_never_sees(viewers: Viewers, camera: Camera) -> None:
    async with FarEnd() as far_end:
        beginning = asyncio.create_task(viewers.admit("view", await far_end.offer(), []))
        while "view" not in viewers:
            await asyncio.sleep(0)
        viewers.end("view")
        with pytest.raises(ViewRefusedError):
            await beginning
    await until(lambda: not camera.is_running)


async def refused(viewers: Viewers, offer: str, view: str = "view") -> str:
    with pytest.raises(ViewRefusedError) as refusal:
        await viewers.admit(view, offer, [])
    return refusal.value.reason


async def test_one_more_viewer_than_the_limit_is_refused(viewers: Viewers) -> None:
    async with FarEnd() as far_end:
        offer = await far_end.offer()
        for number in range(MOST_VIEWERS):
            await viewers.admit(str(number), offer, [])
        assert await refused(viewers, offer) == "full"
        viewers.end("0")
        await viewers.admit("view", offer, [])


async def test_nobody_watches_while_the_camera_is_forbidden(viewers: Viewers, camera: Camera) -> None:
    camera.forbid(True)
    async with FarEnd() as far_end:
        assert await refused(viewers, await far_end.offer()) == "off"
    assert not camera.is_running


async def test_a_door_without_a_camera_says_so() -> None:
    async with FarEnd() as far_end:
        assert await refused(Viewers(None), await far_end.offer()) == "absent"


async def test_two_far_ends_without_h264_see_the_pictures_of_one_more_encoder(viewers: Viewers, camera: Camera) -> None:
    async with FarEnd("video/VP8") as one, FarEnd("video/VP8") as two, FarEnd() as three:
        for number, far_end in enumerate((one, two, three)):
            await watch(viewers, far_end, f"view {number}")
        for far_end in (one, two, three):
            assert (await far_end.sees(5)).width == 320
        assert camera.vp8 is not None
        vp8, encoded, sent = camera.vp8, camera.vp8.encoded, viewers.pictures_sent
        await until(lambda: viewers.pictures_sent - sent > vp8.encoded - encoded + 10)
        for number in range(3):
            viewers.end(f"view {number}")
        await until(lambda: not camera.is_running)


async def test_a_far_end_without_h264_is_told_why_it_sees_nothing(viewers: Viewers, camera: Camera) -> None:
    camera.vp8 = None
    async with FarEnd("video/VP8") as far_end:
        assert await refused(viewers, await far_end.offer()) == "codec"
    assert len(viewers) == 0
    assert not camera.is_running


@pytest.mark.parametrize("offer", ["", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video x"])
async def test_an_offer_that_is_none_costs_nothing(viewers: Viewers, offer: str) -> None:
    assert await refused(viewers, offer) == "offer"
    assert len(viewers) == 0


async def test_a_picture_that_would_not_be_encrypted_is_refused(viewers: Viewers) -> None:
    async with FarEnd() as far_end:
        plain = "".join(line for line in (await far_end.offer()).splitlines(keepends=True) if "fingerprint" not in line)
    assert await refused(viewers, plain) == "offer"


async def test_a_far_end_that_only_sends_is_no_viewer(viewers: Viewers) -> None:
    async with FarEnd() as far_end:
        sending = (await far_end.offer()).replace("a=recvonly", "a=sendonly")
    assert await refused(viewers, sending) == "offer"
