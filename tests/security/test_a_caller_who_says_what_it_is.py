"""The attack: on a service that is no space, a caller's own client says that it is a resident's device."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from intercom.config import DoorConfig
from tests.door_in_memory import DoorInMemory

STRANGER = "/private/stranger"
OPENS = DoorConfig(open_digits="9", openers=("*", "residents"))


@pytest.fixture
def door_in() -> Iterator[Callable[[bool], DoorInMemory]]:
    """A door whose service is a space, or another, and that answers residents by itself."""
    doors: list[DoorInMemory] = []

    def made(in_space: bool) -> DoorInMemory:
        doors.append(DoorInMemory(door=OPENS, in_space=in_space, auto_answer=("residents",)))
        return doors[-1]

    yield made
    for door in doors:
        door.close()


@pytest.mark.parametrize("in_space", [True, False])
def test_only_a_space_says_whom_the_door_answers_by_itself(
    door_in: Callable[[bool], DoorInMemory], in_space: bool
) -> None:
    door = door_in(in_space)
    call = door.called_by(STRANGER)
    door.wait(10)
    assert bool(call.answers) is in_space


@pytest.mark.parametrize("in_space", [True, False])
def test_only_a_space_says_whose_button_opens(door_in: Callable[[bool], DoorInMemory], in_space: bool) -> None:
    door = door_in(in_space)
    call = door.talk()
    door.now(lambda: call.asks({"door": "open"}))
    assert bool(door.lock.opened) is in_space


def test_a_door_is_refused_whoever_says_that_it_is_one(door_in: Callable[[bool], DoorInMemory]) -> None:
    door = door_in(False)
    call = door.ring()
    call.far_end_kind = "door"
    door.answers(call)
    door.now(lambda: call.asks({"door": "open"}))
    assert (door.lock.opened, call.told) == (0, [{"door": "refused", "reason": "a_door"}])
