"""What wakes the door when something is plugged in: the kernel's word, or a look where it says nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from intercom.devices import Watch


def _sound(path: str, action: str = "add") -> bytes:
    return f"{action}@/devices/x/sound/{path}\0ACTION={action}\0SUBSYSTEM=sound\0".encode()


SOUND = _sound("card1/controlC1")
CAMERA = b"add@/devices/x/video4linux/video0\0ACTION=add\0SUBSYSTEM=video4linux\0"
DISK = b"add@/devices/x/block/sda\0ACTION=add\0SUBSYSTEM=block\0"
LIMIT_S = 60.0


class Looks:
    """Counts the looks, and waits for them."""

    def __init__(self) -> None:
        self.count = 0
        self.cameras_too = False
        self._one = asyncio.Event()

    def __call__(self, cameras_too: bool) -> None:
        self.count += 1
        self.cameras_too = cameras_too
        self._one.set()

    async def next(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self._one.wait()
        self._one.clear()


@pytest.fixture
async def looks() -> Looks:
    return Looks()


@pytest.fixture
async def kernel(looks: Looks) -> AsyncIterator[Callable[[bytes], int]]:
    """Says something on the socket that the watch listens to."""
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    watch = Watch(looks, lambda: (), open_socket=lambda: ours)
    watch.start()
    assert watch.is_told
    yield kernels.send
    watch.stop()
    kernels.close()


async def test_a_plug_is_looked_at_at_once_and_again_when_the_burst_is_over(
    looks: Looks, kernel: Callable[[bytes], int]
) -> None:
    for _ in range(8):
        kernel(SOUND)
    await looks.next()
    assert looks.count == 1
    await looks.next()
    assert looks.count == 2


async def test_a_card_is_looked_for_once_its_last_device_is_there_and_not_after_its_first(
    looks: Looks, kernel: Callable[[bytes], int]
) -> None:
    for device in ("card1", "card1/pcmC1D0p", "card1/pcmC1D0c"):
        kernel(_sound(device))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert looks.count == 0
    kernel(SOUND)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert looks.count == 1


async def test_a_card_that_comes_while_a_burst_lasts_is_looked_for_at_once(
    looks: Looks, kernel: Callable[[bytes], int]
) -> None:
    kernel(_sound("card0", "change"))
    await looks.next()
    kernel(SOUND)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert looks.count == 2


async def test_cameras_are_looked_for_where_a_message_may_be_of_one_until_the_burst_is_over(
    looks: Looks, kernel: Callable[[bytes], int]
) -> None:
    kernel(SOUND)
    await looks.next()
    assert not looks.cameras_too
    kernel(CAMERA)
    await looks.next()
    assert looks.cameras_too
    await looks.next()
    assert looks.cameras_too
    kernel(SOUND)
    await looks.next()
    assert not looks.cameras_too


async def test_a_device_that_a_card_is_given_later_is_looked_for_when_the_burst_is_over(
    looks: Looks, kernel: Callable[[bytes], int]
) -> None:
    kernel(_sound("card1/pcmC1D1p"))
    await looks.next()
    assert looks.count == 1


async def test_what_is_no_sound_and_no_picture_is_passed_over(looks: Looks, kernel: Callable[[bytes], int]) -> None:
    kernel(DISK)
    kernel(b"\xff" * 9000)
    kernel(b"")
    kernel(SOUND)
    await looks.next()
    assert looks.count == 1


async def test_without_a_kernel_that_tells_the_directories_are_looked_at(looks: Looks) -> None:
    def refused() -> socket.socket:
        raise PermissionError("not in here")

    seen = ["card0"]
    watch = Watch(looks, lambda: tuple(seen), open_socket=refused, poll_s=0.01)
    watch.start()
    assert not watch.is_told
    seen.append("card1")
    await looks.next()
    watch.stop()


async def test_a_watch_that_never_began_may_be_stopped(looks: Looks) -> None:
    Watch(looks, lambda: ()).stop()
