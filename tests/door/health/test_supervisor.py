"""Who is started again, after how long, and when that ends: time is a parameter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.door.health import faults
from intercom.door.health.faults import KINDS, TRIES, Ends, Part, policy_of
from intercom.door.health.supervisor import BackOff, Supervisor
from intercom.door.machine import Fault

ROOT = Path(__file__).parents[3]


def test_the_pause_doubles_up_to_its_longest() -> None:
    back_off = BackOff(None)
    assert [back_off.failed(0.0) for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_after_so_many_tries_there_is_none_left() -> None:
    back_off = BackOff(2)
    assert [back_off.failed(float(at)) for at in range(3)] == [0.5, 1.0, None]


def test_a_failure_is_forgotten_after_the_window() -> None:
    back_off = BackOff(2, window_s=600.0)
    back_off.failed(0.0)
    back_off.failed(1.0)
    assert back_off.failed(600.0) == 1.0
    assert back_off.count == 2


@given(st.lists(st.floats(0.0, 1000.0), max_size=200))
def test_with_no_end_of_tries_there_is_always_a_pause_and_never_a_long_one(gaps: list[float]) -> None:
    back_off, now = BackOff(None), 0.0
    for gap in gaps:
        now += gap
        pause_s = back_off.failed(now)
        assert pause_s is not None
        assert 0.5 <= pause_s <= 30.0


class Scene:
    """A supervisor whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.given_up: list[tuple[str, Ends]] = []
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.supervisor = Supervisor(
            self,
            give_up=lambda error, ends: self.given_up.append((str(error), ends)),
            clock=lambda: self.now,
            later=self._later,
        )

    def _later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        self.due.append((delay, callback))
        return asyncio.get_running_loop().call_later(3600, lambda: None)

    def part_failed(self, part: Part, why: str) -> None:
        self.told.append(f"{part} failed: {why}")

    def part_works(self, part: Part) -> None:
        self.told.append(f"{part} works")

    async def restart(self) -> float:
        """Let the next restart happen; return how long it was waited for."""
        delay, callback = self.due.pop()
        self.now += delay
        callback()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return delay


async def test_a_part_that_fails_is_started_again_and_both_are_told() -> None:
    scene, starts = Scene(), []

    async def restart() -> None:
        starts.append(scene.now)

    scene.supervisor.watch(Part.BUTTON, restart)
    scene.supervisor.failed(Part.BUTTON, ZeroDivisionError("a defect"))
    assert scene.told == ["button failed: ZeroDivisionError: a defect"]
    assert await scene.restart() == 0.5
    assert starts == [0.5]
    assert scene.told[1:] == ["button works"]


async def test_what_fails_while_its_restart_is_due_counts_once() -> None:
    scene = Scene()

    async def restart() -> None:
        pass

    scene.supervisor.watch(Part.LIGHTS, restart)
    for _ in range(20):
        scene.supervisor.failed(Part.LIGHTS, OSError("the LED is gone"))
    assert len(scene.due) == 1
    assert scene.given_up == []


async def test_a_restart_that_fails_is_tried_again_later_and_works_only_when_it_did() -> None:
    scene = Scene()

    async def restart() -> None:
        if scene.now < 1.0:
            raise OSError("address in use")

    scene.supervisor.watch(Part.METRICS, restart)
    scene.supervisor.failed(Part.METRICS, OSError("address in use"))
    assert await scene.restart() == 0.5
    assert "metrics works" not in scene.told
    assert await scene.restart() == 1.0
    assert scene.told[-1] == "metrics works"


async def test_a_part_that_dies_as_soon_as_it_is_started_does_not_work_until_it_lives() -> None:
    scene = Scene()

    async def restart() -> None:
        if scene.now < 1.0:
            scene.supervisor.failed(Part.AUDIO_THREAD, ZeroDivisionError("at its first round"))

    scene.supervisor.watch(Part.AUDIO_THREAD, restart)
    scene.supervisor.failed(Part.AUDIO_THREAD, ZeroDivisionError("a defect"))
    assert await scene.restart() == 0.5
    assert "audio_thread works" not in scene.told
    assert await scene.restart() == 1.0
    assert scene.told[-1] == "audio_thread works"


async def test_a_part_that_keeps_failing_is_given_up_with_a_sentence() -> None:
    scene = Scene()

    async def restart() -> None:
        pass

    scene.supervisor.watch(Part.AUDIO_THREAD, restart)
    for _ in range(TRIES):
        scene.supervisor.failed(Part.AUDIO_THREAD, ZeroDivisionError())
        await scene.restart()
    scene.supervisor.failed(Part.AUDIO_THREAD, ZeroDivisionError())
    assert scene.given_up == [
        ("The audio thread failed 6 times within 10 minutes: the program ends to be started anew", Ends.AT_ONCE)
    ]
    assert scene.due == []


async def test_a_relay_that_does_not_turn_off_is_never_tried_again() -> None:
    scene = Scene()
    scene.supervisor.watch(Part.RELAY)
    scene.supervisor.failed(Part.RELAY, OSError("the pin is gone"))
    assert scene.given_up[0][1] is Ends.AT_ONCE


async def test_the_first_failure_is_logged_with_where_it_came_from_and_the_next_ones_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()

    async def restart() -> None:
        pass

    scene.supervisor.watch(Part.CLIENT, restart)
    for _ in range(2):
        scene.supervisor.failed(Part.CLIENT, ZeroDivisionError("a defect"))
        await scene.restart()
    (error,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert error.exc_info is not None
    assert error.message == "The client failed"


async def test_after_the_end_nothing_is_started_again() -> None:
    scene = Scene()

    async def restart() -> None:
        pass

    scene.supervisor.watch(Part.CLIENT, restart)
    scene.supervisor.close()
    scene.supervisor.failed(Part.CLIENT, ZeroDivisionError())
    assert (scene.due, scene.told) == ([], [])


def test_every_fault_and_every_part_has_a_policy() -> None:
    assert {str(kind) for kind in (*Fault, *Part)} <= set(KINDS)
    assert len(KINDS) == len(set(KINDS))


def test_what_is_outside_never_ends_the_program() -> None:
    for kind in (Fault.MICROPHONE, Fault.SPEAKER, Fault.CAMERA, Fault.MEDIA, faults.SERVICE):
        assert policy_of(kind).ends is Ends.NEVER


def test_the_page_in_docs_is_the_one_that_the_table_draws() -> None:
    assert (ROOT / "docs" / "faults.md").read_text() == faults.page()
