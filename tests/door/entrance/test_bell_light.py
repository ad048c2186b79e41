"""When the second bell light flashes."""

from __future__ import annotations

from math import inf

import pytest

from intercom.door.entrance.bell_light import LEAST_S, BellLight
from intercom.facts import Answered, CallIdentity, DoorOpened, Ended, Fact, Pressed, PressWaits, Unreached

CALL = CallIdentity("1", "outbound", "/private/house")
RINGS = Pressed("/private/house")


def rings(*, begins: Fact = RINGS) -> BellLight:
    """A light that flashes for a press at 0."""
    light = BellLight()
    light.pressed(0.0)
    light.hear(begins, 0.0)
    return light


@pytest.mark.parametrize("begins", [RINGS, PressWaits("the house cannot be reached yet")])
def test_it_flashes_for_as_long_as_it_rings_or_the_press_waits_for_the_network(begins: Fact) -> None:
    assert rings(begins=begins).is_on(500.0)


@pytest.mark.parametrize("end", [Answered(CALL), DoorOpened("/private/anna")])
def test_it_goes_dark_at_once_when_somebody_takes_the_visitor(end: Fact) -> None:
    light = rings()
    light.hear(end, 1.0)
    assert not light.is_on(1.0)


@pytest.mark.parametrize("end", [Ended(CALL, "NO_ANSWER", answered=False), Unreached("/private/house", "USER_BUSY")])
def test_it_flashes_for_ten_seconds_at_least_where_nobody_answers(end: Fact) -> None:
    light = rings()
    light.hear(end, 1.0)
    assert light.is_on(LEAST_S - 0.1)
    assert light.due_at(1.0) == LEAST_S
    assert not light.is_on(LEAST_S)


def test_a_press_that_rings_nobody_flashes_for_ten_seconds() -> None:
    light = BellLight()
    light.pressed(5.0)
    assert light.is_on(5.0)
    assert not light.is_on(5.0 + LEAST_S)
    assert light.due_at(5.0 + LEAST_S) == inf


def test_a_call_that_a_command_makes_does_not_flash() -> None:
    light = BellLight()
    light.hear(RINGS, 100.0)
    assert not light.is_on(100.0)
