"""The services' event loop: it asks the kernel less often, and misses nothing."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from intercom.service.event_loop import Selector, ServiceLoop

LIMIT_S = 60.0
WAKE_UPS = 10_000
TURNS = 2_000
"""Wake-ups, each once the one before has been answered."""


class CountingSocket:
    """The reading end of the wake-ups, and how often it is asked."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.reads = 0

    def recv(self, most: int) -> bytes:
        self.reads += 1
        return self._real.recv(most)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


async def wakes(count: int) -> int:
    """Wake the loop so many times from a thread while it does something else; how often it was woken."""
    loop, done, woken = asyncio.get_running_loop(), asyncio.Event(), 0

    def wake() -> None:
        nonlocal woken
        woken += 1
        if woken == count:
            done.set()

    thread = threading.Thread(target=lambda: [loop.call_soon_threadsafe(wake) for _ in range(count)])
    thread.start()
    thread.join()
    await asyncio.wait_for(done.wait(), LIMIT_S)
    return woken


def test_however_many_wake_ups_come_at_once_none_is_missed() -> None:
    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        assert runner.run(wakes(WAKE_UPS)) == WAKE_UPS


def test_a_loop_that_sleeps_is_woken_each_time_although_no_wake_up_is_read() -> None:
    """By a name of asyncio's own: it fails when that goes."""

    async def reads() -> int:
        loop: Any = asyncio.get_running_loop()
        counting = loop._ssock = CountingSocket(loop._ssock)
        woken = threading.Semaphore(0)

        def wake() -> None:
            for _ in range(TURNS):
                loop.call_soon_threadsafe(woken.release)
                assert woken.acquire(timeout=LIMIT_S)

        await asyncio.to_thread(wake)
        return counting.reads

    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        assert runner.run(reads()) == 0


def test_a_signal_wakes_the_loop() -> None:
    async def signalled() -> None:
        came = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, came.set)
        threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1)).start()
        await asyncio.wait_for(came.wait(), LIMIT_S)

    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        runner.run(signalled())


def test_whoever_wakes_a_loop_that_has_ended_is_told() -> None:
    loop = ServiceLoop()
    loop.close()
    loop.close()
    with pytest.raises(RuntimeError):
        loop.call_soon_threadsafe(print)


def test_while_work_waits_the_kernel_is_asked_every_other_time(pipe: tuple[int, int]) -> None:
    with Selector() as selector:
        selector.register(pipe[0], selectors.EVENT_READ)
        os.write(pipe[1], b"x")
        assert [len(selector.select(0)) for _ in range(5)] == [0, 1, 0, 1, 0]
        assert [len(selector.select(LIMIT_S)) for _ in range(3)] == [1, 1, 1]


def test_work_without_end_does_not_keep_a_packet_from_being_read(pipe: tuple[int, int]) -> None:
    async def read() -> bytes:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[bytes] = loop.create_future()
        loop.add_reader(pipe[0], lambda: arrived.done() or arrived.set_result(os.read(pipe[0], 9)))
        os.write(pipe[1], b"packet")
        async with asyncio.timeout(LIMIT_S):
            while not arrived.done():
                await asyncio.sleep(0)
        loop.remove_reader(pipe[0])
        return await arrived

    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        assert runner.run(read()) == b"packet"


def test_a_timer_that_is_due_runs_although_the_kernel_is_not_asked() -> None:
    async def due() -> None:
        ran = asyncio.Event()
        for _ in range(3):
            ran.clear()
            asyncio.get_running_loop().call_later(0, ran.set)
            await asyncio.wait_for(ran.wait(), LIMIT_S)

    with asyncio.Runner(loop_factory=ServiceLoop) as runner:
        runner.run(due())
