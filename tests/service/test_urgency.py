"""The event loop goes before ordinary processes while a call waits for its card, and no longer."""

from __future__ import annotations

import os
import threading

import pytest

from intercom.service.urgency import AFTER_S, LONGEST_S, Urgency, go_first
from tests.virtual_time import VirtualLoop


class Walk:
    """An urgency in a loop whose time is the test's."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.told: list[bool] = []
        self.urgency = Urgency(self.told.append)

    async def lost(self) -> None:
        self.urgency.begin()

    async def back(self) -> None:
        self.urgency.returned()


def test_the_loop_goes_first_until_a_moment_after_the_card_is_back() -> None:
    walk = Walk()
    walk.loop.run(walk.lost())
    walk.loop.wait(LONGEST_S / 2)
    assert walk.told == [True]
    walk.loop.run(walk.back())
    walk.loop.wait(2 * AFTER_S)
    assert walk.told == [True, False]
    walk.loop.close()


def test_a_card_that_stays_away_is_not_waited_for_for_ever() -> None:
    walk = Walk()
    walk.loop.run(walk.lost())
    walk.loop.wait(LONGEST_S + 1)
    assert walk.told == [True, False]
    walk.loop.close()


def test_a_card_that_goes_again_at_once_keeps_the_loop_first() -> None:
    walk = Walk()
    walk.loop.run(walk.lost())
    walk.loop.run(walk.back())
    walk.loop.run(walk.lost())
    walk.loop.wait(2 * AFTER_S)
    assert walk.told == [True, True]
    walk.loop.close()


def test_a_card_that_comes_and_was_not_missed_in_a_call_changes_nothing() -> None:
    walk = Walk()
    walk.loop.run(walk.back())
    walk.loop.wait(2 * AFTER_S)
    assert walk.told == []
    walk.loop.close()


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
