"""From any plan, time and order of what happens follows one ring at a time, an end, and a reason for each change."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.config import ButtonConfig, CallConfig, StepConfig
from intercom.door.calls.ring_plan import OUTAGES, RingPlans, Step, Walk

KITCHEN, HALL, MOBILE = "/private/kitchen", "/private/hall", "+15551234567"
SUNDAY, MONDAY = (datetime(2026, 11, day, 12, 0, tzinfo=UTC) for day in (29, 30))
FIRST, SECOND = Step((KITCHEN,), 20.0, "first"), Step((HALL, MOBILE), 30.0, "second")
TELLS = Step(notify=("mail",), name="tells")


# -- one step after the other --------------------------------------------------------------------------


def test_the_next_step_begins_when_the_time_of_the_one_before_is_over() -> None:
    walk = Walk.begun((FIRST, SECOND), 100.0)
    assert (walk.at, walk.ends_at, walk.until) == (0, 120.0, 150.0)
    after = walk.elapsed(120.0)
    assert (after.at, after.ends_at, after.why) == (1, 150.0, "the 20 s of step 1 are over")
    assert after.elapsed(150.0).over


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ("USER_NOT_REGISTERED", "at step 1 nobody is there"),
        ("USER_BUSY", "at step 1 all are busy"),
        ("UNALLOCATED_NUMBER", "at step 1 the call failed (UNALLOCATED_NUMBER)"),
    ],
)
def test_a_step_at_which_nobody_can_be_rung_is_left_at_once(cause: str, why: str) -> None:
    after = Walk.begun((FIRST, SECOND), 100.0).ended(cause, 101.0)
    assert (after.at, after.ends_at, after.why) == (1, 131.0, why)


def test_the_last_step_rings_again_for_whoever_comes_until_its_time_is_over() -> None:
    walk = Walk.begun((FIRST,), 100.0)
    after = walk.ended("USER_NOT_REGISTERED", 101.0)
    assert (after.at, after.ends_at, after.over) == (0, 120.0, False)
    assert after.ended("USER_NOT_REGISTERED", 120.0).over


@pytest.mark.parametrize("cause", OUTAGES)
def test_a_step_outlives_an_outage_of_the_service_and_its_time_runs_on(cause: str) -> None:
    after = Walk.begun((FIRST, SECOND), 100.0).ended(cause, 110.0)
    assert (after.at, after.ends_at) == (0, 120.0)
    assert after.ended(cause, 125.0).at == 1


def test_somebody_who_declines_ends_the_press_for_everybody_unless_it_is_for_their_device_alone() -> None:
    assert Walk.begun((FIRST, SECOND), 100.0).ended("CALL_REJECTED", 101.0).over
    alone = msgspec.structs.replace(FIRST, refused="device")
    assert Walk.begun((alone, SECOND), 100.0).ended("CALL_REJECTED", 101.0).at == 1


def test_a_press_that_somebody_took_already_rings_nobody_else() -> None:
    assert Walk.begun((FIRST, SECOND), 100.0).ended("LOSE_RACE", 101.0).over


def test_a_step_that_only_tells_somebody_takes_no_time() -> None:
    walk = Walk.begun((TELLS, FIRST, TELLS), 100.0)
    assert (walk.at, walk.begun_since(None)) == (1, [(1, TELLS), (2, FIRST)])
    after = walk.elapsed(120.0)
    assert (after.over, after.begun_since(walk)) == (True, [(3, TELLS)])


def test_whoever_is_only_told_is_told_at_once_where_nobody_is_there_and_the_last_step_rings_on() -> None:
    walk = Walk.begun((FIRST, TELLS), 100.0)
    after = walk.ended("USER_NOT_REGISTERED", 101.0)
    assert (after.over, after.at, after.begun_since(walk)) == (False, 0, [(2, TELLS)])
    assert after.ended("USER_NOT_REGISTERED", 103.0).begun_since(after) == []
    assert after.elapsed(120.0).over
    assert after.elapsed(120.0).begun_since(after) == []


def test_the_end_of_a_press_that_was_declined_begins_no_step() -> None:
    walk = Walk.begun((FIRST, TELLS), 100.0)
    assert walk.ended("CALL_REJECTED", 101.0).begun_since(walk) == []


def test_what_a_person_did_says_more_of_the_press_than_what_failed_later() -> None:
    walk = Walk.begun((FIRST, SECOND), 100.0).ended("NO_ANSWER", 120.0)
    assert walk.ended("UNALLOCATED_NUMBER", 121.0).cause == "NO_ANSWER"


def test_a_plan_that_names_nobody_is_over_at_once() -> None:
    walk = Walk.begun((), 100.0)
    assert (walk.over, walk.address, walk.why) == (True, "", "the plan names nobody for this time")


# -- whom a button rings when --------------------------------------------------------------------------


def names(plans: RingPlans, when: datetime, button: str = "") -> list[str]:
    return [step.name for step in plans.chosen(button, when).steps]


def test_without_a_plan_the_button_rings_the_usual_address() -> None:
    (step,) = RingPlans(CallConfig(ring=HALL, ring_time_s=45.0)).chosen("", MONDAY).steps
    assert step == Step((HALL,), 45.0)


def test_a_step_that_names_nobody_rings_the_usual_address() -> None:
    (step,) = RingPlans(CallConfig(ring=HALL, plan=(StepConfig(),))).chosen("", MONDAY).steps
    assert step.ring == (HALL,)


def test_each_button_rings_by_its_own_plan() -> None:
    steps = StepConfig(name="house", ring=(KITCHEN,)), StepConfig(plan="office", name="office", ring=(HALL,))
    buttons = ButtonConfig(name="House"), ButtonConfig(name="Office", plan="office")
    plans = RingPlans(CallConfig(plan=steps), buttons)
    assert [names(plans, MONDAY, button.name) for button in buttons] == [["house"], ["office"]]


def test_a_holiday_is_no_weekday() -> None:
    steps = (
        StepConfig(name="work", ring=(KITCHEN,), days=("mon", "tue")),
        StepConfig(name="free", ring=(KITCHEN,), days=("sun", "holiday")),
    )
    assert names(RingPlans(CallConfig(plan=steps)), MONDAY) == ["work"]
    assert names(RingPlans(CallConfig(plan=steps)), SUNDAY) == ["free"]
    assert names(RingPlans(CallConfig(plan=steps, holidays=("2026-11-30",))), MONDAY) == ["free"]
    assert names(RingPlans(CallConfig(plan=steps, holidays=("11-30",))), MONDAY) == ["free"]


@pytest.mark.parametrize(("hour", "counts"), [(21, False), (22, True), (23, True)])
def test_hours_over_midnight_begin_on_their_day(hour: int, counts: bool) -> None:
    plans = RingPlans(CallConfig(plan=(StepConfig(name="n", ring=(HALL,), days=("mon",), hours=("22:00-06:00",)),)))
    assert bool(names(plans, MONDAY.replace(hour=hour))) is counts


@pytest.mark.parametrize(("day", "hour", "counts"), [(1, 5, True), (1, 6, False), (30, 5, False)])
def test_hours_over_midnight_go_on_in_the_next_morning(day: int, hour: int, counts: bool) -> None:
    plans = RingPlans(CallConfig(plan=(StepConfig(name="n", ring=(HALL,), days=("mon",), hours=("22:00-06:00",)),)))
    when = datetime(2026, 12 if day == 1 else 11, day, hour, 0, tzinfo=UTC)
    assert bool(names(plans, when)) is counts


def test_a_step_that_is_left_out_says_why() -> None:
    step = StepConfig(name="day", ring=(HALL,), hours=("08:00-10:00",))
    chosen = RingPlans(CallConfig(plan=(step,))).chosen("", MONDAY)
    assert (chosen.steps, chosen.left_out) == ((), (("day", "it counts at 08:00-10:00 only"),))


def test_a_service_without_groups_rings_one_address_after_the_other() -> None:
    config = CallConfig(plan=(StepConfig(ring=(HALL, MOBILE), notify=("mail",)),))
    steps = RingPlans(config, at_once=False).chosen("", MONDAY).steps
    assert [step.ring for step in steps] == [(HALL,), (MOBILE,)]
    assert [step.notify for step in steps] == [("mail",), ()]


# -- any plan, any order -------------------------------------------------------------------------------

CAUSES = ("USER_NOT_REGISTERED", "USER_BUSY", "CALL_REJECTED", "NO_ANSWER", "LOSE_RACE", "UNALLOCATED_NUMBER", *OUTAGES)
STEPS = st.lists(
    st.builds(
        Step,
        ring=st.lists(st.sampled_from((KITCHEN, HALL, MOBILE)), max_size=3).map(tuple),
        ring_time_s=st.floats(1.0, 60.0),
        notify=st.sampled_from(((), ("mail",))),
        refused=st.sampled_from(("everybody", "device")),
    ),
    max_size=6,
).map(tuple)
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("ended"), st.sampled_from(CAUSES), st.floats(0.0, 30.0)),
        st.tuples(st.just("passes"), st.just(""), st.floats(0.0, 90.0)),
        st.tuples(st.just("restarts"), st.just(""), st.floats(0.0, 90.0)),
    ),
    max_size=40,
)


@given(STEPS, HAPPENINGS)
def test_any_press_goes_forward_step_by_step_to_its_end_and_says_why(
    steps: tuple[Step, ...], happenings: list[tuple[str, str, float]]
) -> None:
    now = 1000.0
    walk = Walk.begun(steps, now)
    deadline, told = walk.until, [number for number, _ in walk.begun_since(None)]
    for what, cause, after_s in happenings:
        if walk.over:
            break
        now += after_s
        before = walk
        match what:
            case "ended":
                walk = walk.ended(cause, now)
            case "passes":
                walk = walk.elapsed(now)
            case "restarts":
                walk = msgspec.json.decode(msgspec.json.encode(walk), type=Walk).elapsed(now)
        told += [number for number, _ in walk.begun_since(before)]
        assert walk.why
        assert walk.at >= before.at
        assert walk.until <= deadline + 1e-6
        assert walk.over or walk.step.ring
    assert told == sorted(set(told))
    assert walk.elapsed(deadline + 0.01).over
