"""The journal: everybody who listens hears each fact, whatever becomes of the others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intercom.facts import DoorOpened, FaultBegan, Pressed
from intercom.history.journal import FACTS_KEPT, Entry, Journal

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PRESSED = Pressed("/private/house")


class Scene:
    """A journal, what was heard and what failed."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.journal = Journal(self.failures.append, clock=lambda: 100.0, now=lambda: NOW)
        self.heard: list[Entry] = []

    def fail(self, _: Entry) -> None:
        raise RuntimeError("it broke")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_fact_is_heard_with_its_number_and_both_times(scene: Scene) -> None:
    scene.journal.subscribe(scene.heard.append)
    scene.journal.tell(PRESSED)
    assert scene.heard == [Entry(1, NOW, 100.0, PRESSED)]


def test_a_listener_hears_nothing_after_it_has_unsubscribed(scene: Scene) -> None:
    unsubscribe = scene.journal.subscribe(scene.heard.append)
    unsubscribe()
    unsubscribe()
    scene.journal.tell(PRESSED)
    assert scene.heard == []


def test_a_listener_that_is_unsubscribed_by_the_one_before_it_does_not_hear_that_fact(scene: Scene) -> None:
    scene.journal.subscribe(lambda _: unsubscribe())
    unsubscribe = scene.journal.subscribe(scene.heard.append)
    scene.journal.tell(PRESSED)
    assert scene.heard == []


def test_a_listener_that_raises_costs_nobody_else_a_fact(scene: Scene) -> None:
    scene.journal.subscribe(scene.fail)
    scene.journal.subscribe(scene.heard.append)
    scene.journal.tell(PRESSED)
    scene.journal.tell(PRESSED)
    assert [entry.number for entry in scene.heard] == [1, 2]


def test_a_listener_that_keeps_raising_is_reported_once(scene: Scene) -> None:
    scene.journal.subscribe(scene.fail)
    scene.journal.tell(PRESSED)
    scene.journal.tell(PRESSED)
    (failure,) = scene.failures
    assert failure.__notes__ == ["A listener to the journal failed at fact 1, Pressed"]


def test_the_report_of_a_listener_that_raises_is_a_fact_and_does_not_go_round_in_circles() -> None:
    journal = Journal(lambda error: journal.tell(FaultBegan("housekeeping", str(error))))
    heard: list[Entry] = []

    def fail(_: Entry) -> None:
        raise RuntimeError("it broke")

    journal.subscribe(fail)
    journal.subscribe(heard.append)
    journal.tell(PRESSED)
    assert [entry.fact for entry in heard] == [PRESSED, FaultBegan("housekeeping", "it broke")]


def test_everybody_hears_the_facts_in_the_order_in_which_they_were_told(scene: Scene) -> None:
    def open_the_door(entry: Entry) -> None:
        if entry.fact == PRESSED:
            scene.journal.tell(DoorOpened("a listener"))

    scene.journal.subscribe(open_the_door)
    scene.journal.subscribe(scene.heard.append)
    scene.journal.tell(PRESSED)
    assert [entry.number for entry in scene.heard] == [1, 2]


def test_a_listener_that_was_away_catches_up_from_its_cursor(scene: Scene) -> None:
    scene.journal.tell(PRESSED)
    cursor = scene.journal.cursor
    scene.journal.tell(DoorOpened("pi"))
    assert [entry.fact for entry in scene.journal.since(cursor)] == [DoorOpened("pi")]
    assert scene.journal.since(scene.journal.cursor) == []


def test_the_facts_kept_are_bounded_and_a_gap_shows_that_some_are_gone(scene: Scene) -> None:
    for _ in range(FACTS_KEPT + 5):
        scene.journal.tell(PRESSED)
    kept = scene.journal.since(0)
    assert (len(kept), kept[0].number) == (FACTS_KEPT, 6)
