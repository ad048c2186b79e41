"""A press rings whoever comes (back) until its time is over, whatever dies in between."""

from __future__ import annotations

import pytest

from intercom.door.machine import Phase
from tests.door.calls.test_calls import door, is_at_rest
from tests.door_in_memory import DESCRIBE_S, HOUSE, DoorInMemory

__all__ = ["door"]


def test_nobody_answers_until_the_ring_time_is_over(door: DoorInMemory) -> None:
    door.ring()
    door.wait(59)
    assert door.phase is Phase.RINGING_OUT
    door.wait(2)
    assert (door.journal.causes, door.feedback.failures) == (["NO_ANSWER"], ["NO_ANSWER"])
    assert is_at_rest(door)


def test_a_press_rings_whoever_comes_until_its_time_is_over(door: DoorInMemory) -> None:
    door.service.somebody_home = False
    door.press()
    door.wait(50)
    door.service.somebody_home = True
    door.wait(3)
    assert not door.newest.over
    door.answers(door.newest)
    assert door.phase is Phase.ACTIVE
    assert door.journal.open == [door.newest]


def test_a_press_that_nobody_hears_is_one_call_that_was_not_reached(door: DoorInMemory) -> None:
    door.service.somebody_home = False
    door.press()
    door.wait(59)
    assert door.feedback.failures == []
    door.wait(2)
    assert (door.journal.causes, door.feedback.failures) == (["USER_NOT_REGISTERED"], ["USER_NOT_REGISTERED"])
    assert is_at_rest(door)


def test_the_visitor_is_told_while_nobody_is_there_yet(door: DoorInMemory) -> None:
    door.service.somebody_home = False
    door.press()
    door.wait(5)
    assert door.feedback.is_trying
    door.service.somebody_home = True
    door.wait(3)
    assert not door.newest.over
    assert not door.feedback.is_trying


def test_the_house_rings_again_when_the_service_died_while_it_rang(door: DoorInMemory) -> None:
    first = door.ring()
    door.loses_service()
    door.wait(3)
    door.has_service_again(resumed=False)
    door.wait(1)
    assert first.over
    assert (door.newest.over, door.phase) == (False, Phase.RINGING_OUT)
    assert door.journal.open == [door.newest]


def test_a_call_that_outlived_its_connection_is_not_dialled_again(door: DoorInMemory) -> None:
    door.ring()
    door.loses_service()
    door.wait(3)
    door.has_service_again(resumed=True)
    door.wait(20)
    assert door.service.dialled == 1


def test_however_often_it_rings_again_a_press_has_one_ring_time(door: DoorInMemory) -> None:
    door.press()
    for _ in range(5):
        door.wait(8)
        door.loses_service()
        door.wait(2)
        door.has_service_again(resumed=False)
    door.wait(11)
    assert door.journal.causes == ["NO_ANSWER"]
    assert is_at_rest(door)


def test_a_press_that_the_service_did_not_answer_rings_when_it_does(door: DoorInMemory) -> None:
    door.service.reachable = False
    door.press()
    door.wait(20)
    door.service.reachable = True
    door.wait(8)
    assert (door.phase, door.newest.over) == (Phase.RINGING_OUT, False)


def test_a_press_without_the_service_is_kept_until_its_time_is_over(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.wait(40)
    assert (door.feedback.is_trying, door.plan.press_waits) == (True, True)
    door.has_service_again(resumed=False)
    door.wait(1)
    assert (door.phase, door.newest.over, door.feedback.is_trying) == (Phase.RINGING_OUT, False, False)
    door.wait(20)
    assert door.journal.causes == ["NO_ANSWER"]
    assert is_at_rest(door)


def test_a_press_that_waits_is_told_with_its_reason(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    assert door.journal.waits == ["the house cannot be reached yet"]


def test_a_press_without_the_service_is_told_and_logged_when_its_time_is_over(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.wait(60)
    assert door.feedback.failures == ["NORMAL_TEMPORARY_FAILURE"]
    assert door.journal.unreached_calls == [(HOUSE, "NORMAL_TEMPORARY_FAILURE")]
    assert is_at_rest(door)


@pytest.mark.parametrize("way", ["hold", "hang_up"])
def test_a_press_without_the_service_can_be_given_up(door: DoorInMemory, way: str) -> None:
    door.loses_service()
    door.press()
    assert getattr(door, way)() in (None, True)
    door.has_service_again(resumed=False)
    door.wait(1)
    assert door.service.dialled == 0
    assert door.journal.unreached_calls == [(HOUSE, "ORIGINATOR_CANCEL")]
    assert is_at_rest(door)


def test_who_calls_while_a_press_waits_is_met_by_the_visitor(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.called_by("/private/kitchen")
    door.press()
    door.wait(DESCRIBE_S)
    assert door.phase is Phase.ACTIVE
    door.has_service_again(resumed=True)
    door.wait(1)
    assert door.service.dialled == 0
