"""A door rings several addresses in one call, and one of them is not named in `door.openers`: it opens nothing."""

from __future__ import annotations

import pytest

from intercom.config import DoorConfig, StepConfig
from intercom.signalwire import KeyPress
from tests.door_in_memory import DoorInMemory

KITCHEN, HALL = "/private/kitchen", "/private/hall"
PLAN = (StepConfig(ring=(KITCHEN, HALL)),)


def opened_by_nine(told: str, openers: tuple[str, ...], *, in_space: bool = True) -> int:
    """Let somebody answer, of whom the service says this, and press 9; return how often the door opened."""
    door = DoorInMemory(plan=PLAN, door=DoorConfig(openers=openers), in_space=in_space)
    call = door.ring()
    call.answered_address = told
    door.answers(call)
    door.now(lambda: call._keys.emit(KeyPress("9", "signalling")))
    door.close()
    return door.lock.opened


def test_the_one_who_is_not_named_does_not_open_though_the_other_address_is() -> None:
    assert opened_by_nine(HALL, (KITCHEN,)) == 0
    assert opened_by_nine(KITCHEN, (KITCHEN,)) == 1


def test_whoever_was_rung_opens_where_all_may() -> None:
    assert opened_by_nine(HALL, ("*",)) == 1


def test_whoever_answers_as_their_step_ends_opens_only_by_their_own_address() -> None:
    plan = (StepConfig(ring=(KITCHEN,), ring_time_s=20.0), StepConfig(ring=(HALL,)))
    for openers, opened in (((HALL,), 0), ((KITCHEN,), 1)):
        door = DoorInMemory(plan=plan, door=DoorConfig(openers=openers))
        door.ring()
        door.wait(21)
        call = door.newest  # it rings the hall, and whoever answered too late in the kitchen
        call.answered_address = KITCHEN
        door.answers(call)
        door.now(lambda call=call: call._keys.emit(KeyPress("9", "signalling")))
        door.close()
        assert door.lock.opened == opened


@pytest.mark.parametrize("told", ["", "/private/neighbour", "*", "/private/*"])
def test_an_address_that_the_door_did_not_ring_is_nobody(told: str) -> None:
    assert opened_by_nine(told, (KITCHEN, HALL, "/private/neighbour")) == 0


def test_another_service_than_the_space_is_not_believed_who_answered() -> None:
    door = DoorInMemory(plan=PLAN, door=DoorConfig(openers=(HALL,)), in_space=False)
    call = door.ring()  # one address after the other: the kitchen
    call.answered_address = HALL
    door.answers(call)
    door.now(lambda: call._keys.emit(KeyPress("9", "signalling")))
    assert door.lock.opened == 0
    door.close()
