"""A picture at every press, the newest in memory."""

from __future__ import annotations

import asyncio

from intercom.door.camera.press_snapshot import FRESH_S, PressPictures


class Camera:
    """Gives a picture when the test says so."""

    def __init__(self) -> None:
        self.looks = 0
        self.fault: OSError | None = None
        self.ready = asyncio.Event()
        self.ready.set()

    async def look(self) -> bytes:
        self.looks += 1
        await self.ready.wait()
        if self.fault is not None:
            raise self.fault
        return b"picture %d" % self.looks


async def test_a_press_takes_a_picture_and_tells_how_long_it_took() -> None:
    camera, now = Camera(), [100.0]
    camera.ready.clear()
    pictures = PressPictures(camera.look, clock=lambda: now[0])
    pictures.press()
    await asyncio.sleep(0)
    now[0] += 0.25
    camera.ready.set()
    picture = await pictures.last()
    assert picture is not None
    assert (picture.jpeg, picture.after_s) == (b"picture 1", 0.25)


async def test_the_bell_rings_before_the_camera_starts() -> None:
    camera, rung = Camera(), asyncio.Event()

    async def bell() -> None:
        await rung.wait()

    pictures = PressPictures(camera.look, bell=bell)
    pictures.press()
    await asyncio.sleep(0)
    assert camera.looks == 0
    rung.set()
    assert await pictures.last() is not None
    assert camera.looks == 1


async def test_before_the_first_press_there_is_none() -> None:
    assert await PressPictures(Camera().look).last() is None


async def test_a_finger_that_hammers_takes_one_at_a_time_and_the_newest_counts() -> None:
    camera = Camera()
    pictures = PressPictures(camera.look)
    pictures.press()
    pictures.press()
    assert await pictures.last() is not None
    assert camera.looks == 1
    pictures.press()
    picture = await pictures.last()
    assert picture is not None
    assert picture.jpeg == b"picture 2"


async def test_a_camera_without_a_picture_leaves_the_one_before() -> None:
    camera = Camera()
    pictures = PressPictures(camera.look)
    pictures.press()
    before = await pictures.last()
    camera.fault = OSError("unplugged")
    pictures.press()
    assert await pictures.last() == before


async def test_the_call_that_a_press_began_is_given_the_picture_of_the_press() -> None:
    camera = Camera()
    pictures = PressPictures(camera.look)
    pictures.press()
    assert await pictures.of_now() == b"picture 1"
    assert camera.looks == 1


async def test_a_call_that_nobody_pressed_for_is_given_a_new_picture() -> None:
    camera, now = Camera(), [100.0]
    pictures = PressPictures(camera.look, clock=lambda: now[0])
    pictures.press()
    await pictures.last()
    now[0] += FRESH_S
    assert await pictures.of_now() == b"picture 2"


async def test_a_stop_does_not_wait_for_a_camera_that_hangs() -> None:
    camera = Camera()
    camera.ready.clear()
    pictures = PressPictures(camera.look)
    pictures.press()
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await pictures.stop()
    assert pictures.newest is None
