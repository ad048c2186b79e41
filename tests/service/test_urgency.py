"""The event loop goes before ordinary processes while something is waited for, and no longer."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from intercom.service.urgency import Urgency, go_first
from tests.virtual_time import VirtualLoop

LONG_S, MOMENT_S = 60.0, 1.0


class Walk:
    """An urgency in a loop whose time is the test's."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.told: list[bool] = []
        self.urgency = Urgency(self.told.append)

    async def begin(self) -> None:
        self.urgency.begin(LONG_S)

    async def end_soon(self) -> None:
        self.urgency.end_in(MOMENT_S)

    async def end(self) -> None:
        self.urgency.end()


@pytest.fixture
def walk() -> Iterator[Walk]:
    walk = Walk()
    yield walk
    walk.loop.close()


def test_the_loop_goes_first_until_a_moment_after_what_was_waited_for(walk: Walk) -> None:
    walk.loop.run(walk.begin())
    walk.loop.wait(LONG_S / 2)
    assert walk.told == [True]
    walk.loop.run(walk.end_soon())
    walk.loop.wait(2 * MOMENT_S)
    assert walk.told == [True, False]


def test_nothing_is_waited_for_for_ever(walk: Walk) -> None:
    walk.loop.run(walk.begin())
    walk.loop.wait(LONG_S + 1)
    assert walk.told == [True, False]


def test_what_is_waited_for_again_at_once_keeps_the_loop_first(walk: Walk) -> None:
    walk.loop.run(walk.begin())
    walk.loop.run(walk.end_soon())
    walk.loop.run(walk.begin())
    walk.loop.wait(2 * MOMENT_S)
    assert walk.told == [True]


def test_where_nothing_is_waited_for_a_moment_more_is_none(walk: Walk) -> None:
    walk.loop.run(walk.end_soon())
    walk.loop.wait(2 * MOMENT_S)
    assert walk.told == []


def test_the_end_is_told_once_and_at_once(walk: Walk) -> None:
    walk.loop.run(walk.begin())
    walk.loop.run(walk.end())
    assert walk.told == [True, False]
    walk.loop.run(walk.end())
    walk.loop.wait(2 * LONG_S)
    assert walk.told == [True, False]


def test_a_thread_that_goes_first_leaves_its_own_threads_behind() -> None:
    policies: list[int] = []

    def look() -> None:
        policies.append(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)

    def first() -> None:
        go_first(True)
        look()
        other = threading.Thread(target=look)
        other.start()
        other.join()
        go_first(False)
        look()

    thread = threading.Thread(target=first)
    thread.start()
    thread.join()
    if policies[0] == os.SCHED_OTHER:
        pytest.skip("this user may not go first")
    assert policies == [os.SCHED_RR, os.SCHED_OTHER, os.SCHED_OTHER]
