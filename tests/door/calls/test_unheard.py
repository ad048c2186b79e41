"""Presses of which the space heard no call: it is told of each, once it is there, and lists the visitor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from intercom.config import StepConfig
from tests.door_in_memory import DoorInMemory

NIGHT = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
BY_DAY = StepConfig(ring=("/private/hall",), hours=("08:00-22:00",))


@pytest.fixture
def door() -> Iterator[DoorInMemory]:
    door = DoorInMemory()
    yield door
    door.close()
    assert door.defects == []
    assert door.loop.unhandled == []


def unheard(door: DoorInMemory) -> list[dict[str, Any]]:
    return [params for method, params in door.service.executed if method == "intercom.unheard"]


def test_the_house_learns_of_a_press_at_an_hour_for_which_the_plan_names_nobody() -> None:
    door = DoorInMemory(plan=(BY_DAY,), now=lambda: NIGHT)
    door.press()
    (told,) = unheard(door)
    assert (told["how"], told["button"], told["ago_s"]) == ("missed", "", 0.0)
    assert len(told["ring"]) > 30
    door.close()


def test_the_house_learns_of_a_press_of_before_the_space_was_back(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.wait(61)
    door.press()
    door.wait(61)
    assert unheard(door) == []
    door.has_service_again(resumed=False)
    assert [round(told["ago_s"]) for told in unheard(door)] == [62, 1]
    door.has_service_again(resumed=False)
    assert len(unheard(door)) == 2


def test_it_learns_that_the_visitor_gave_up(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.hold()
    door.has_service_again(resumed=False)
    assert [told["how"] for told in unheard(door)] == ["given_up"]


def test_a_door_without_a_service_for_long_remembers_the_last_presses(door: DoorInMemory) -> None:
    door.loses_service()
    for _ in range(20):
        door.press()
        door.wait(61)
    door.has_service_again(resumed=False)
    assert len(unheard(door)) == 16
    assert round(unheard(door)[-1]["ago_s"]) == 1


def test_a_press_whose_call_the_space_had_is_none(door: DoorInMemory) -> None:
    door.ring()
    door.wait(61)
    assert unheard(door) == []


def test_a_press_that_rings_on_after_a_restart_is_none(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.service.reachable = True
    door.loop.run(door.plan.stop())
    assert unheard(door) == []


def test_another_service_has_no_list_of_visitors() -> None:
    door = DoorInMemory(in_space=False, plan=(BY_DAY,), now=lambda: NIGHT)
    door.press()
    assert door.service.executed == []
    door.close()
