"""A real V4L2 device as the camera (the kernel's vivid, a virtual capture card): pictures, stills, replug."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import pytest

from intercom.config import CameraConfig
from intercom.media.camera.choice import Camera, open_camera
from intercom.media.camera.events import (
    CameraChosen,
    CameraEvent,
    CameraLost,
    CameraReturned,
    CameraStarted,
    CameraStopped,
)
from intercom.media.camera.v4l2_controls import camera_name
from intercom.media.codec.h264 import AccessUnit

DRIVER = Path("/sys/bus/platform/drivers/vivid")
DEVICE = "vivid.0"
LIMIT_S = 60  # a guest is slow, and shares its processor


def capture_device() -> str | None:
    nodes = sorted(Path("/sys/class/video4linux").glob("video*"))
    return next((f"/dev/{node.name}" for node in nodes if camera_name(f"/dev/{node.name}") == "vivid"), None)


def plug(action: str) -> threading.Thread:
    """Let the driver bind or unbind the device; unbinding may wait for the last user."""
    thread = threading.Thread(target=(DRIVER / action).write_text, args=(DEVICE,))
    thread.start()
    return thread


@pytest.fixture
def device() -> Iterator[str]:
    name = capture_device()
    assert name is not None, "the bench kernel has a vivid device"
    yield name
    if not (DRIVER / DEVICE).exists():
        plug("bind").join()


class Events:
    """What the camera told, to wait for in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[CameraEvent] = asyncio.Queue()

    def __call__(self, event: CameraEvent) -> None:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, event)

    async def wait_for(self, kind: type[CameraEvent]) -> CameraEvent:
        async with asyncio.timeout(LIMIT_S):
            while not isinstance(event := await self._queue.get(), kind):
                pass
        return event


@pytest.fixture
async def events() -> Events:
    return Events()


@pytest.fixture
async def camera(device: str, events: Events) -> AsyncIterator[Camera]:
    camera = open_camera(
        CameraConfig(source="auto", device=device, width=320, height=180, frame_rate=10), on_event=events
    )
    assert camera is not None
    yield camera
    await asyncio.to_thread(camera.stop, LIMIT_S)


async def pictures(camera: Camera, count: int) -> list[AccessUnit]:
    async with asyncio.timeout(LIMIT_S):
        with camera.frames() as frames:
            return [await frames.next() for _ in range(count)]


async def test_auto_finds_the_device_and_names_it(camera: Camera, events: Events) -> None:
    chosen = await events.wait_for(CameraChosen)
    assert isinstance(chosen, CameraChosen)
    assert chosen.source == "v4l2"
    assert chosen.reason.endswith("found vivid")


async def test_its_pictures_are_h264_that_decodes(camera: Camera) -> None:
    units = await pictures(camera, 5)
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit.data))] + decoder.decode(None)
    assert [(frame.width, frame.height) for frame in frames] == [(320, 180)] * 5
    assert frames[0].to_ndarray(format="gray").std() > 10, "a picture, not a grey field"


def is_open(device: str) -> bool:
    """Whether this process holds the device: the kernel lights a camera's own light meanwhile."""
    return device in (str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


async def test_the_device_is_free_when_nobody_looks(camera: Camera, device: str) -> None:
    await pictures(camera, 1)
    await asyncio.to_thread(camera.stop, LIMIT_S)
    assert not is_open(device)


async def test_a_forbidden_camera_lets_go_of_the_device_though_somebody_looks(
    camera: Camera, device: str, events: Events
) -> None:
    with camera.frames() as frames:
        async with asyncio.timeout(LIMIT_S):
            await frames.next()
            assert is_open(device)
            camera.forbid(True)
            await events.wait_for(CameraStopped)
            assert not is_open(device)
            camera.forbid(False)
            await events.wait_for(CameraStarted)
            while not is_open(device):
                await frames.next()


async def test_a_still_is_taken_while_the_camera_runs(camera: Camera) -> None:
    with camera.frames() as frames:
        async with asyncio.timeout(LIMIT_S):
            await frames.next()
            assert (await camera.snapshot()).startswith(b"\xff\xd8\xff")


async def test_an_unplugged_camera_is_told_and_used_again_when_it_is_back(camera: Camera, events: Events) -> None:
    with camera.frames() as frames:
        async with asyncio.timeout(LIMIT_S):
            await frames.next()
        unplugging = plug("unbind")
        lost = await events.wait_for(CameraLost)
        assert isinstance(lost, CameraLost)
        await asyncio.to_thread(unplugging.join, LIMIT_S)
        plug("bind").join()
        await events.wait_for(CameraReturned)
        async with asyncio.timeout(LIMIT_S):
            await frames.next()
