"""What the door's contact means, at times that a test chooses."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.door.entrance.door_contact import DoorContact
from intercom.door.entrance.settled import SETTLE_S
from intercom.facts import CLOSED, FORCED, HELD_OPEN, OPEN


def contact(*, is_open: bool = False, forced_after_s: float = 10.0, held_open_s: float = 60.0) -> DoorContact:
    return DoorContact(is_open=is_open, now=0.0, forced_after_s=forced_after_s, held_open_s=held_open_s)


def settles(door: DoorContact, is_open: bool, at: float) -> bool:
    """Read this from a moment on until it counts; return whether the state changed."""
    assert not door.reads(is_open, at)
    return door.reads(is_open, at + SETTLE_S)


def test_a_door_that_opens_after_its_relay_is_open() -> None:
    door = contact()
    door.relay(True, 1.0)
    assert settles(door, True, 2.0)
    assert door.state == OPEN


@pytest.mark.parametrize(("opens_at", "state"), [(11.9, OPEN), (12.1, FORCED)])
def test_the_time_to_open_it_runs_from_the_end_of_the_pulse(opens_at: float, state: str) -> None:
    door = contact()
    door.relay(True, 1.0)
    door.relay(False, 2.0)
    settles(door, True, opens_at)
    assert door.state == state


def test_a_door_that_opens_while_its_relay_is_on_is_never_forced() -> None:
    door = contact(forced_after_s=0.5)
    door.relay(True, 1.0)
    settles(door, True, 7.0)
    assert door.state == OPEN


def test_a_door_that_opens_without_its_relay_was_forced_until_it_is_closed() -> None:
    door = contact()
    settles(door, True, 5.0)
    assert door.state == FORCED
    assert not door.reads(True, 1000.0), "a forced door is not held open as well"
    assert settles(door, False, 2000.0)
    assert door.state == CLOSED


def test_a_door_with_a_key_is_never_forced() -> None:
    door = contact(forced_after_s=0.0)
    settles(door, True, 5.0)
    assert door.state == OPEN


def test_a_door_that_stands_open_is_held_open_after_a_while() -> None:
    door = contact(is_open=True)
    assert not door.reads(True, 59.9)
    assert door.due_at == 60.0
    assert door.reads(True, 60.0)
    assert door.state == HELD_OPEN
    assert door.due_at == inf


def test_a_door_may_stand_open_for_ever_where_the_configuration_says_so() -> None:
    door = contact(is_open=True, held_open_s=0.0)
    assert not door.reads(True, 1e9)
    assert door.state == OPEN


def test_a_door_that_was_open_at_the_start_was_not_forced() -> None:
    assert contact(is_open=True).state == OPEN


def test_a_door_that_rattles_stays_closed() -> None:
    door = contact()
    for step in range(100):
        assert not door.reads(step % 2 == 0, step * SETTLE_S / 2)
    assert door.state == CLOSED


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 5.0)), max_size=30), st.floats(0.01, 100), st.floats(0.01, 100))
def test_whatever_it_reads_the_state_agrees_with_the_reading_that_has_settled(
    readings: list[tuple[bool, float]], forced_after_s: float, held_open_s: float
) -> None:
    door, now = contact(forced_after_s=forced_after_s, held_open_s=held_open_s), 0.0
    for is_open, pause_s in readings:
        door.reads(is_open, now)
        now += SETTLE_S + pause_s
        door.reads(is_open, now)
        assert (door.state == CLOSED) is not is_open
        assert door.state != OPEN or door.due_at > now
