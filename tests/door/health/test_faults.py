"""The one object of faults: what is broken, why, since when, and for how long."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from intercom.door.health.faults import FAULTS_KEPT, SERVICE, Faults
from intercom.door.machine import Fault
from intercom.facts import Fact, FaultBegan, FaultCleared

BEGAN_AT = datetime(2026, 11, 28, tzinfo=UTC)


class Scene:
    """Faults whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.facts: list[Fact] = []
        self.faults = Faults(self.facts.append, clock=lambda: self.now, now=lambda: BEGAN_AT)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_open_fault_says_why_and_since_when(scene: Scene) -> None:
    scene.faults.begin(Fault.CAMERA, "it was unplugged")
    scene.now += 3.0
    (fault,) = scene.faults.open.values()
    assert (fault.kind, fault.why, fault.began_at, fault.lasted_s) == (Fault.CAMERA, "it was unplugged", BEGAN_AT, None)
    assert scene.faults.lasted_s(fault) == 3.0


def test_a_fault_that_is_reported_twice_is_one_fault_with_its_first_reason(scene: Scene) -> None:
    scene.faults.begin(Fault.CAMERA, "it was unplugged")
    scene.faults.begin(Fault.CAMERA, "no pictures come")
    assert scene.faults.open[Fault.CAMERA].why == "it was unplugged"
    assert scene.facts == [FaultBegan("camera", "it was unplugged")]


def test_a_cleared_fault_keeps_how_long_it_lasted(scene: Scene) -> None:
    scene.faults.begin(SERVICE, "")
    scene.now += 3.0
    scene.faults.clear(SERVICE)
    scene.now += 3.0
    (fault,) = scene.faults.past
    assert (fault.lasted_s, scene.faults.lasted_s(fault), scene.faults.open) == (3.0, 3.0, {})


def test_what_is_cleared_without_being_open_leaves_no_trace(scene: Scene) -> None:
    scene.faults.clear(SERVICE)
    assert (scene.facts, len(scene.faults.past)) == ([], 0)


def test_the_seconds_of_an_open_fault_count_until_it_clears(scene: Scene) -> None:
    scene.faults.begin(SERVICE, "")
    scene.now += 3.0
    assert scene.faults.open_s(SERVICE) == 3.0
    scene.faults.clear(SERVICE)
    assert scene.faults.open_s(SERVICE) == 0.0


def test_the_visitor_notices_faults_of_what_they_use(scene: Scene) -> None:
    for kind in (Fault.SPEAKER, "button", "disk", SERVICE):
        scene.faults.begin(kind, "")
    assert scene.faults.noticed == {Fault.SPEAKER, Fault.BUTTON}


def test_the_past_is_as_long_as_anybody_asks_for(scene: Scene) -> None:
    for _ in range(FAULTS_KEPT + 1):
        scene.faults.begin(SERVICE, "")
        scene.faults.clear(SERVICE)
    assert len(scene.faults.past) == FAULTS_KEPT


def test_the_log_tells_the_beginning_with_its_reason_and_the_end_with_its_length(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scene.faults.begin(Fault.MEDIA, "nothing was received")
    scene.now += 2.0
    scene.faults.clear(Fault.MEDIA)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "The call's media does not work: nothing was received"),
        ("INFO", "The call's media works again after 2.0 s"),
    ]


def test_whoever_shows_the_faults_is_told_of_each_change() -> None:
    changes: list[int] = []
    faults = Faults(lambda _: changes.append(len(faults.open)))
    faults.begin(SERVICE, "")
    faults.begin(SERVICE, "")
    faults.clear(SERVICE)
    assert changes == [1, 0]


def test_a_fault_is_told_as_it_begins_and_with_its_duration_as_it_clears(scene: Scene) -> None:
    scene.faults.begin(Fault.CAMERA, "it was unplugged")
    scene.now += 3.0
    scene.faults.clear(Fault.CAMERA)
    assert scene.facts == [FaultBegan("camera", "it was unplugged"), FaultCleared("camera", 3.0)]
