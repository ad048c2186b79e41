"""The figures that are counted from facts."""

from __future__ import annotations

import pytest

from intercom.facts import (
    CallBegan,
    CallIdentity,
    DoorOpened,
    DoorRefused,
    Ended,
    Fact,
    FaultBegan,
    FaultCleared,
    Pressed,
    Unreached,
)
from intercom.history.figures import Figures
from intercom.history.journal import Journal
from intercom.opening.decision import Ruling

OUT = CallIdentity("a", "outbound", "/private/house")
IN = CallIdentity("b", "inbound", "/private/anna")


class Scene:
    """Figures at a journal whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.failures: list[Exception] = []
        self.journal = Journal(self.failures.append, clock=lambda: self.now)
        self.figures = Figures(stats=lambda _: None)
        self.journal.subscribe(self.figures.take)

    def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.journal.tell(fact)
        assert self.failures == []


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_seconds_from_the_press_to_the_ringing_are_counted(scene: Scene) -> None:
    scene.tell(Pressed("/private/house"))
    scene.now += 0.25
    scene.tell(CallBegan(OUT))
    assert (scene.figures.press_to_ring.count, scene.figures.press_to_ring.total) == (1, 0.25)


def test_a_press_that_a_caller_forestalls_has_no_time_to_its_ringing(scene: Scene) -> None:
    scene.tell(Pressed("/private/house"), CallBegan(IN), CallBegan(OUT))
    assert scene.figures.press_to_ring.count == 0


def test_calls_are_counted_by_direction_and_outcome(scene: Scene) -> None:
    scene.tell(
        Ended(OUT, "NORMAL_CLEARING", answered=True),
        Ended(IN, "ORIGINATOR_CANCEL", answered=False),
        Unreached("/private/house", "USER_BUSY"),
        Unreached("/private/house", "UNALLOCATED_NUMBER"),
    )
    assert scene.figures.calls_by_outcome == {
        ("outbound", "answered"): 1,
        ("inbound", "unanswered"): 1,
        ("outbound", "busy"): 1,
        ("outbound", "failed"): 1,
    }


def test_openings_and_refusals_are_counted(scene: Scene) -> None:
    scene.tell(DoorOpened("pi"), DoorRefused(Ruling.DEAF.value), DoorRefused(Ruling.DEAF.value))
    assert scene.figures.doors_opened == 1
    assert scene.figures.doors_refused[Ruling.DEAF] == 2


def test_the_faults_of_a_kind_are_counted_with_the_seconds_of_all_that_are_over(scene: Scene) -> None:
    over = (FaultBegan("camera", ""), FaultCleared("camera", 3.0))
    scene.tell(*over, *over, FaultBegan("camera", ""))
    figures = scene.figures
    assert (figures.faults_begun["camera"], figures.faults_cleared["camera"], figures.fault_s["camera"]) == (3, 2, 6.0)
