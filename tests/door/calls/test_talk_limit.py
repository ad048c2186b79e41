"""A talk ends in time, unless the far end takes its time again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from intercom.config import DoorConfig
from intercom.door.machine import Phase
from intercom.signalwire import KeyPress
from tests.door_in_memory import Call, DoorInMemory

LIMIT_S, WARNING_S = 300.0, 10.0
ENDING, TALK_ON = {"talk": "ending", "for_s": WARNING_S}, {"talk": "on", "for_s": LIMIT_S}


@pytest.fixture
def door() -> Iterator[DoorInMemory]:
    door = DoorInMemory(time_limit_s=LIMIT_S, warning_before_end_s=WARNING_S)
    yield door
    door.close()


def near_the_end(door: DoorInMemory) -> Call:
    call = door.talk()
    door.wait(LIMIT_S - WARNING_S + 1)
    assert door.feedback.beeps == 1
    return call


def presses(door: DoorInMemory, call: Call, key: str, **how: Any) -> None:
    door.now(lambda: call.presses(KeyPress(key, "signalling", **how)))


def test_the_page_is_told_that_the_end_is_near(door: DoorInMemory) -> None:
    call = near_the_end(door)
    assert call.told == [ENDING]


@pytest.mark.parametrize("way", ["tap", "key"])
def test_the_far_end_takes_the_whole_time_again(door: DoorInMemory, way: str) -> None:
    call = near_the_end(door)
    if way == "tap":
        door.now(lambda: call.asks({"talk": "on"}))
    else:
        presses(door, call, "#")
    assert call.told == [ENDING, TALK_ON]
    door.wait(LIMIT_S - 1)
    assert (door.phase, door.feedback.beeps) == (Phase.ACTIVE, 2)
    door.wait(2)
    assert (door.phase, call.end_cause) == (Phase.NONE, "NORMAL_CLEARING")


def test_it_may_do_so_as_often_as_it_likes(door: DoorInMemory) -> None:
    call = near_the_end(door)
    for _ in range(5):
        presses(door, call, "#")
        door.wait(LIMIT_S - WARNING_S + 1)
    assert (door.phase, door.feedback.beeps) == (Phase.ACTIVE, 6)


def test_before_the_beep_nothing_prolongs(door: DoorInMemory) -> None:
    call = door.talk()
    presses(door, call, "#")
    door.now(lambda: call.asks({"talk": "on"}))
    door.wait(LIMIT_S + 1)
    assert (door.phase, call.told) == (Phase.NONE, [ENDING])


def test_one_beep_prolongs_once(door: DoorInMemory) -> None:
    call = near_the_end(door)
    for _ in range(3):
        presses(door, call, "#")
    assert call.told == [ENDING, TALK_ON]


def test_the_visitor_s_button_prolongs_nothing(door: DoorInMemory) -> None:
    near_the_end(door)
    door.press()
    door.wait(WARNING_S)
    assert door.phase is Phase.NONE


def test_a_tone_that_the_visitor_plays_into_the_call_prolongs_nothing(door: DoorInMemory) -> None:
    call = near_the_end(door)
    presses(door, call, "#", echo_s=0.2)
    door.wait(WARNING_S)
    assert door.phase is Phase.NONE


def test_a_caller_of_a_service_that_is_no_space_is_beeped_at_and_prolongs_by_key() -> None:
    door = DoorInMemory(in_space=False, time_limit_s=LIMIT_S, warning_before_end_s=WARNING_S)
    call = near_the_end(door)
    presses(door, call, "#")
    door.wait(WARNING_S)
    assert (door.phase, call.told) == (Phase.ACTIVE, [])
    door.close()


@pytest.mark.parametrize(("code", "key"), [("9#", "*"), ("#*12", "0"), ("9", "#"), ("", "#")])
def test_a_key_of_the_door_s_code_prolongs_nothing_and_another_one_does(code: str, key: str) -> None:
    door = DoorInMemory(door=DoorConfig(open_digits=code), time_limit_s=LIMIT_S, warning_before_end_s=WARNING_S)
    call = near_the_end(door)
    for digit in code:
        presses(door, call, digit)
    assert door.lock.opened == (1 if code else 0)
    assert TALK_ON not in call.told
    presses(door, call, key)
    assert call.told[-1] == TALK_ON
    door.close()


def test_a_call_without_a_warning_ends_as_it_was_set() -> None:
    door = DoorInMemory(time_limit_s=LIMIT_S, warning_before_end_s=0.0)
    call = door.talk()
    door.wait(LIMIT_S - 0.1)
    presses(door, call, "#")
    door.wait(1)
    assert (door.phase, door.feedback.beeps) == (Phase.NONE, 0)
    door.close()


def test_the_next_call_has_its_own_time(door: DoorInMemory) -> None:
    first = near_the_end(door)
    door.ends(first)
    second = door.talk()
    presses(door, second, "#")
    door.wait(LIMIT_S - WARNING_S - 5)
    assert (second.told, door.feedback.beeps) == ([], 1)
