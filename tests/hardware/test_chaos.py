"""Chaos: its plan and its verdict, which need no kernel, and a run of three minutes, which does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.liars.broker import BrokerLie
from tests.liars.receiver import ReceiverLie
from tests.liars.viewers import ViewerLie

from .chaos import plan
from .chaos.__main__ import run
from .chaos.plan import Kind, Mishap
from .chaos.verdict import HEALED_S, Done, Fault, Line, Size, creep, faults_of, judge, last_words, leaks, table

MINUTES = 3.0


def line(at_s: float, text: str) -> Line:
    return Line(at_s, f"2026-03-01 10:00:00,000 {text}")


def done(kind: Kind, began_s: float, over_s: float, healed_after_s: float | None = None) -> Done:
    mishap = Mishap(
        overlaps=False, after_health=False, pause_s=0.0, kind=kind, lasts_s=round(over_s - began_s, 2), seed=1
    )
    return Done(mishap, began_s, over_s, healed_after_s)


LOST = line(10.1, "WARNING intercom.door.health.faults: The speaker does not work: it was unplugged")
DEAF = line(10.2, "WARNING intercom.door.health.faults: The microphone does not work: it was unplugged")
BACK = line(14.0, "INFO intercom.door.health.faults: The speaker works again after 3.9 s")
HEARS = line(14.1, "INFO intercom.door.health.faults: The microphone works again after 3.9 s")
UNPLUGGED = (LOST, DEAF, BACK, HEARS)


def test_the_same_seed_plans_the_same_and_another_one_something_else() -> None:
    def first(seed: int) -> list[object]:
        drawn = (plan.mishaps(seed), *(plan.lies(seed, kinds) for kinds in plan.LIARS), plan.calls(seed))
        return [one for each in drawn for one in itertools.islice(each, 50)]

    assert first(7) == first(7)
    assert first(7) != first(8)


def test_every_kind_of_mishap_comes_before_any_comes_again() -> None:
    drawn = [(plan.ACCIDENTS, plan.mishaps(3)), *((kinds, plan.lies(3, kinds)) for kinds in plan.LIARS)]
    found = [mishap.kind for kinds, planned in drawn for mishap in itertools.islice(planned, len(kinds))]
    assert len(found) == len(Kind)
    assert set(found) == set(Kind)


def test_every_lie_is_told() -> None:
    assert {kind.lie for kinds in plan.LIARS for kind in kinds} == {*BrokerLie, *ReceiverLie, *ViewerLie}


@pytest.mark.parametrize("kinds", plan.LIARS)
def test_no_lie_is_an_excuse_for_a_call_or_its_sound(kinds: tuple[Kind, ...]) -> None:
    for mishap in itertools.islice(plan.lies(3, kinds), 3 * len(kinds)):
        assert not mishap.spoils_calls
        assert not mishap.spoils_sound


def test_faults_are_read_from_the_log_with_their_beginning_and_end() -> None:
    link = line(20.0, "WARNING intercom.door.health.faults: The registration with the service does not work: lost")
    found = faults_of([*UNPLUGGED, link])
    assert found == [Fault("speaker", 10.1, 14.0), Fault("microphone", 10.2, 14.1), Fault("service", 20.0, None)]


def test_a_mishap_whose_faults_the_log_tells_is_explained() -> None:
    one = done(Kind.HEADSET_UNPLUGGED, 10.0, 13.0, 1.1)
    assert judge([one], faults_of(UNPLUGGED), UNPLUGGED) == []
    assert [fault.kind for fault in one.opened] == ["speaker", "microphone"]


def test_a_mishap_that_the_log_keeps_quiet_about_is_found() -> None:
    assert judge([done(Kind.HEADSET_UNPLUGGED, 10.0, 13.0)], faults_of([LOST, BACK]), [LOST, BACK]) == [
        "the log has no fault microphone for: headset unplugged at 10.0 s"
    ]


def test_a_fault_that_no_mishap_explains_is_found() -> None:
    found = judge([done(Kind.CAMERA_UNPLUGGED, 10.0, 13.0)], faults_of([LOST, BACK]), [LOST, BACK])
    assert found == ["nothing explains the fault speaker at 10.1 s"]


BROKEN = line(10.1, "WARNING intercom.door.health.faults: The connection to the MQTT broker does not work: it refuses")
MENDED = line(30.0, "INFO intercom.door.health.faults: The connection to the MQTT broker works again after 19.9 s")


def test_a_broker_that_lies_is_told_of_and_so_is_its_return() -> None:
    one = done(Kind.BROKER_REFUSES, 10.0, 20.0, 10.0)
    assert judge([one], faults_of([BROKEN, MENDED]), [BROKEN, MENDED]) == []
    told = judge([done(Kind.BROKER_REFUSES, 10.0, 20.0)], [], [])
    assert told == ["the log has no fault mqtt for: broker is never ready at 10.0 s"]


def test_a_cable_explains_a_broker_that_is_missed_half_a_minute_later() -> None:
    late = [line(60.0, BROKEN.text[24:]), line(61.0, MENDED.text[24:])]
    assert judge([done(Kind.LINK_SWALLOWS, 1.0, 5.0)], faults_of(late), late) == []
    assert len(judge([done(Kind.SPACE_KILLED, 1.0, 5.0, 1.0)], faults_of(late), late)) == 2


def test_sound_that_the_bench_s_own_headset_did_not_move_is_no_fault_of_the_door() -> None:
    assert judge([], faults_of([LOST, BACK]), [LOST, BACK], [(11.0, 11.6)]) == []


def test_a_fault_that_is_never_over_is_found() -> None:
    found = judge([done(Kind.HEADSET_FROZEN, 10.0, 13.0)], faults_of([LOST]), [LOST])
    assert found == ["the fault speaker of 10.1 s was never over"]


def test_what_takes_too_long_to_mend_is_found() -> None:
    (found,) = judge([done(Kind.HEADSET_FROZEN, 10.0, 13.0, HEALED_S + 1)], [], [])
    assert found.startswith(f"headset frozen at 10.0 s was mended only {HEALED_S + 1:.1f} s later")


@pytest.mark.parametrize(
    "text",
    [
        "ERROR asyncio: Task exception was never retrieved",
        "ERROR intercom.door.health.supervisor: The client failed",
        "Traceback (most recent call last):",
    ],
)
def test_a_defect_in_the_log_is_found(text: str) -> None:
    assert len(judge([], [], [line(5.0, text)])) == 1


def test_of_a_native_death_the_trace_is_told_and_what_led_to_it() -> None:
    before = [line(float(number), f"DEBUG intercom.x: line {number}") for number in range(100)]
    trace = [line(100.0, "Fatal Python error: Segmentation fault"), *(line(100.0, f"  File {n}") for n in range(80))]
    told = last_words([*before, *trace])
    assert "line 99" in told
    assert "line 12" not in told
    assert all(one.text in told for one in trace)
    assert last_words(before).count("\n") < 30, "a death without a trace: what came last"


def test_growth_is_found_and_what_comes_and_goes_is_not() -> None:
    before = Size(threads=8, tasks=16, descriptors=23, memory_mb=110.0)
    assert leaks(before, Size(threads=9, tasks=17, descriptors=25, memory_mb=120.0)) == []
    assert leaks(before, Size(threads=12, tasks=30, descriptors=60, memory_mb=300.0)) == [
        "threads grew from 8 to 12",
        "tasks grew from 16 to 30",
        "descriptors grew from 23 to 60",
        "memory grew from 110 to 300 MB",
    ]


def test_memory_that_grows_to_its_size_is_none_and_memory_that_goes_on_growing_is_found() -> None:
    assert creep([82.0, 103.0, 110.0, 117.0, 110.0, 110.0, 117.0, 110.5, 110.5]) == []
    assert creep([82.0 + 2.0 * reading for reading in range(30)]) == ["memory creeps from 111 to 131 MB"]
    assert creep([]) == []


def test_the_table_tells_what_was_done_and_what_came_of_it() -> None:
    one = done(Kind.HEADSET_UNPLUGGED, 10.0, 13.0, 1.1)
    judge([one], faults_of(UNPLUGGED), UNPLUGGED)
    row = next(row for row in table([one]).splitlines() if row.startswith("headset unplugged"))
    assert row.split(maxsplit=2)[2].split("  ")[0].strip() == "1"
    assert "1 microphone, 1 speaker" in row


def test_three_minutes_of_chaos_leave_nothing_behind_and_nothing_unexplained(
    bench_kernel: None, tmp_path: Path
) -> None:
    status = run(MINUTES, seed=2, log=tmp_path / "door.log")
    assert status == 0, "what it found is in the output above"
