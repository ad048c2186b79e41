"""A press goes through the steps of its plan: one ring for the house, one call at a time, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from intercom.config import ButtonConfig, StepConfig
from intercom.door.machine import Phase
from intercom.facts import Ended, Pressed, StepBegan, StepNotifies
from tests.door.calls.test_calls import is_at_rest
from tests.door_in_memory import CLOSING_S, DIAL_S, HOUSE, DoorInMemory

KITCHEN, HALL, MOBILE = "/private/kitchen", "/private/hall", "+15551234567"
PLAN = (
    StepConfig(name="tablets", ring=(KITCHEN, HALL), ring_time_s=20.0, refused="device"),
    StepConfig(name="mobile", ring=(MOBILE,), ring_time_s=30.0, notify=("mail",)),
)
OFFICE = StepConfig(plan="office", name="office", ring=(HALL,), ring_time_s=10.0)
BUTTONS = ButtonConfig(name="House"), ButtonConfig(name="Office", plan="office")
MOMENT_S = 2 * DIAL_S + 2 * CLOSING_S


@pytest.fixture
def door() -> Iterator[DoorInMemory]:
    door = DoorInMemory(plan=PLAN)
    yield door
    door.close()
    assert door.defects == []
    assert door.loop.unhandled == []
    assert door.journal.open == []


def rung(door: DoorInMemory) -> list[str]:
    return [call.to for call in door.service.calls]


def told(door: DoorInMemory) -> dict[str, Any]:
    """What the service was told of the newest call."""
    variables: dict[str, Any] = door.newest.user_variables["intercom"]
    return variables


def test_a_press_that_nobody_answers_goes_through_its_steps_and_ends_once(door: DoorInMemory) -> None:
    door.ring()
    door.wait(21)
    assert (rung(door), door.phase) == ([KITCHEN, MOBILE], Phase.RINGING_OUT)
    door.wait(30)
    assert (door.journal.causes, door.feedback.failures) == (["NO_ANSWER"], ["NO_ANSWER"])
    steps = [fact for fact in door.journal.facts if isinstance(fact, Pressed | StepBegan | StepNotifies | Ended)]
    pressed = Pressed(f"{KITCHEN}, {HALL}", ring=told(door)["ring"])
    assert steps[:3] == [pressed, StepBegan(2, 2, "mobile"), StepNotifies(("mail",))]
    assert len(steps) == 4
    assert is_at_rest(door)


def test_the_house_has_one_ring_for_all_steps_and_is_told_what_follows(door: DoorInMemory) -> None:
    door.ring()
    first = told(door)
    assert first["also"] == [HALL]
    assert (first["for_s"], first["refused"], first["goes_on"]) == (20, "device", True)
    door.wait(21)
    second = told(door)
    assert second == {"role": "door", "ring": first["ring"], "for_s": 30}


def test_the_first_answer_wins_at_whichever_step(door: DoorInMemory) -> None:
    door.ring()
    door.wait(21)
    door.answers(door.newest)
    door.wait(60)
    assert (door.phase, rung(door)) == (Phase.ACTIVE, [KITCHEN, MOBILE])


def test_an_answer_in_the_instant_in_which_the_step_ends_is_an_answer(door: DoorInMemory) -> None:
    call = door.ring()
    kept = door.plan.kept
    assert kept is not None
    door.now(lambda: door.loop.call_at(kept.walk.ends_at, call.becomes, "connecting"))
    door.wait(21)
    assert (door.phase, rung(door)) == (Phase.ACTIVE, [KITCHEN])


def test_a_step_whose_devices_are_not_there_is_left_at_once(door: DoorInMemory) -> None:
    door.service.empty = {KITCHEN}
    door.press()
    door.wait(2 * MOMENT_S)
    assert (rung(door), door.phase) == ([KITCHEN, MOBILE], Phase.RINGING_OUT)
    door.wait(31)
    assert door.journal.causes == ["NO_ANSWER"]


def test_when_every_device_of_a_step_declined_the_next_step_rings(door: DoorInMemory) -> None:
    door.ends(door.ring(), "CALL_REJECTED")
    door.wait(MOMENT_S)
    assert rung(door) == [KITCHEN, MOBILE]


def test_whoever_declines_for_everybody_ends_the_press(door: DoorInMemory) -> None:
    door.ring()
    door.wait(21)
    door.ends(door.newest, "CALL_REJECTED")
    door.wait(60)
    assert (rung(door), door.journal.causes) == ([KITCHEN, MOBILE], ["CALL_REJECTED"])
    assert is_at_rest(door)


def test_a_visitor_who_gives_up_between_two_steps_rings_nobody_more(door: DoorInMemory) -> None:
    door.ring()
    door.wait(20 - 2 * DIAL_S + DIAL_S / 2)  # the first step is over, and the next one is dialled
    door.hold()
    door.wait(60)
    assert (door.journal.causes, door.phase) == (["ORIGINATOR_CANCEL"], Phase.NONE)
    assert is_at_rest(door)


def test_the_steps_pass_while_the_service_is_away_and_the_step_that_is_due_rings(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.wait(25)
    assert StepBegan(2, 2, "mobile") in door.journal.facts
    door.has_service_again(resumed=False)
    door.wait(1)
    assert rung(door) == [MOBILE]
    door.wait(25)
    assert door.journal.causes == ["NO_ANSWER"]


def test_a_press_that_waits_in_vain_ends_with_its_last_step(door: DoorInMemory) -> None:
    door.loses_service()
    door.press()
    door.wait(49)
    assert door.plan.press_waits
    door.wait(2)
    assert door.journal.unreached_calls == [(MOBILE, "NORMAL_TEMPORARY_FAILURE")]
    assert is_at_rest(door)


def test_a_press_at_a_time_for_which_the_plan_names_nobody_ends_at_once() -> None:
    door = DoorInMemory(plan=(StepConfig(ring=(HALL,), days=("holiday",)),))
    door.press()
    door.wait(1)
    assert (door.service.dialled, door.journal.unreached_calls) == (0, [("", "NO_ANSWER")])
    assert door.feedback.failures == ["NO_ANSWER"]
    door.close()


def test_a_step_that_only_tells_somebody_rings_nobody() -> None:
    door = DoorInMemory(plan=(StepConfig(notify=("mail",)),))
    door.press()
    door.wait(1)
    assert door.service.dialled == 0
    assert [fact for fact in door.journal.facts if isinstance(fact, StepNotifies)] == [StepNotifies(("mail",))]
    door.close()


def test_a_service_without_groups_rings_one_address_after_the_other() -> None:
    door = DoorInMemory(plan=(StepConfig(ring=(KITCHEN, MOBILE), ring_time_s=10.0),), in_space=False)
    door.ring()
    door.wait(11)
    assert rung(door) == [KITCHEN, MOBILE]
    door.close()


def test_the_status_shows_the_step(door: DoorInMemory) -> None:
    door.ring()
    door.wait(21)
    kept = door.plan.kept
    assert kept is not None
    assert (kept.walk.at, kept.walk.step.name, kept.walk.why) == (1, "mobile", "the 20 s of step 1 are over")


def test_a_command_without_an_address_rings_by_the_plan(door: DoorInMemory) -> None:
    door.now(door.plan.ring)
    door.wait(MOMENT_S)
    assert rung(door) == [KITCHEN]


# -- several buttons -----------------------------------------------------------------------------------


def test_each_button_rings_whom_its_plan_names() -> None:
    door = DoorInMemory(plan=(*PLAN, OFFICE), buttons=BUTTONS)
    door.press("Office")
    door.wait(MOMENT_S)
    assert rung(door) == [HALL]
    assert Pressed(HALL, button="Office", ring=told(door)["ring"]) in door.journal.facts
    assert told(door)["button"] == "Office"
    door.close()


def test_another_button_ends_the_ringing_of_the_first_and_rings_its_own() -> None:
    door = DoorInMemory(plan=(*PLAN, OFFICE), buttons=BUTTONS)
    door.press("House")
    door.wait(MOMENT_S)
    first = told(door)["ring"]
    door.press("Office")
    door.wait(MOMENT_S)
    assert (rung(door), door.journal.causes) == ([KITCHEN, HALL], ["ORIGINATOR_CANCEL"])
    assert told(door)["ring"] != first
    assert door.phase is Phase.RINGING_OUT
    door.close()


def test_another_button_that_is_pressed_twice_at_once_does_not_ring_after_it_was_given_up() -> None:
    door = DoorInMemory(plan=(*PLAN, OFFICE), buttons=BUTTONS)
    door.press("House")
    door.wait(MOMENT_S)

    async def at_once() -> None:
        door.plan.press("Office")
        door.plan.press("Office")
        assert await door.plan.hang_up()

    door.loop.run(at_once())
    door.wait(5)
    assert (door.phase, rung(door)) == (Phase.NONE, [KITCHEN])
    door.close()


def test_the_same_button_again_changes_nothing() -> None:
    door = DoorInMemory(plan=(*PLAN, OFFICE), buttons=BUTTONS)
    for _ in range(3):
        door.press("Office")
        door.wait(1)
    assert door.service.dialled == 1
    door.close()


# -- restarts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_s", "rings"), [(2.0, [KITCHEN]), (25.0, [MOBILE]), (60.0, [])])
def test_a_press_rings_on_after_a_restart_at_the_step_that_is_due(
    tmp_path: Path, after_s: float, rings: list[str]
) -> None:
    file = tmp_path / "press.json"
    before = DoorInMemory(plan=PLAN, press_file=file)
    before.ring()
    ring, now = told(before)["ring"], before.loop.time() + after_s
    before.close()
    after = DoorInMemory(plan=(), press_file=file)
    after.loses_service()
    after.wait(now)
    after.now(after.plan.ring_on)
    after.has_service_again(resumed=False)
    after.wait(1)
    assert rung(after) == rings
    assert all(call.user_variables["intercom"]["ring"] == ring for call in after.service.calls)
    after.close()


def test_the_usual_press_is_one_step_for_its_whole_time() -> None:
    door = DoorInMemory()
    door.ring()
    assert told(door) == {"role": "door", "ring": told(door)["ring"], "for_s": 60}
    assert rung(door) == [HOUSE]
    door.close()
