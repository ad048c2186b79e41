"""The state of a ring: it begins once, it ends once, and every ring ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.switch.calls.calls import Party
from intercom.space.switch.rings.ring import (
    NEWS_S,
    REDIAL_LIMIT_S,
    REMEMBERED_S,
    REPLIES_LIMIT,
    RINGS_LIMIT,
    Ring,
    Rings,
)

DOOR = Party("/private/door", "Front door", "door")
HOUSE = frozenset({"anna", "ben"})


class Stage:
    """The rings, the times of day and since the start, and what a listener heard."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.rings = Rings(wall=lambda: self.now)
        self.heard: list[Ring] = []
        self.rings.subscribe(self.heard.append)

    def call(self, ring: str = "r1") -> bool:
        return self.rings.called(ring, DOOR, HOUSE)

    def wait(self, seconds: float) -> None:
        """Look often, as the space does."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + 1.0)
            self.rings.elapsed(self.now)

    @property
    def states(self) -> list[str]:
        return ["ringing" if ring.ending is None else ring.ending.how for ring in self.heard]


ENDS: dict[str, Any] = {
    "answered": lambda rings: rings.answered("r1", "Anna"),
    "refused": lambda rings: rings.refused("r1", "Anna"),
    "opened": lambda rings: rings.opened("r1", "Anna"),
    "given_up": lambda rings: rings.given_up("r1"),
}


def test_of_many_replies_the_latest_are_remembered() -> None:
    stage = Stage()
    stage.call()
    for number in range(REPLIES_LIMIT + 2):
        stage.rings.replied("r1", "Anna", f"sentence {number}")
    assert [reply.text for reply in stage.heard[-1].replies] == [
        f"sentence {number}" for number in range(2, REPLIES_LIMIT + 2)
    ]


def test_a_ring_begins_once_however_often_the_door_dials_for_it() -> None:
    stage = Stage()
    assert stage.call()
    stage.rings.waits("r1")
    assert stage.call()
    assert stage.states == ["ringing"]


@pytest.mark.parametrize("how", ENDS)
def test_a_ring_that_is_taken_never_rings_again(how: str) -> None:
    stage = Stage()
    stage.call()
    ENDS[how](stage.rings)
    assert not stage.call()
    assert stage.states == ["ringing", how]


@pytest.mark.parametrize("second", ENDS)
@pytest.mark.parametrize("first", ENDS)
def test_the_first_end_of_a_ring_stands(first: str, second: str) -> None:
    stage = Stage()
    stage.call()
    ENDS[first](stage.rings)
    ENDS[second](stage.rings)
    ending = stage.heard[-1].ending
    assert ending is not None
    assert ending.how == first


@pytest.mark.parametrize("how", ["answered", "refused", "opened"])
def test_the_end_says_who_took_it(how: str) -> None:
    stage = Stage()
    stage.call()
    ENDS[how](stage.rings)
    ending = stage.heard[-1].ending
    assert ending is not None
    assert ending.by == "Anna"


def test_a_ring_that_nobody_is_rung_for_any_more_is_missed() -> None:
    stage = Stage()
    stage.call()
    stage.rings.waits("r1")
    stage.wait(REDIAL_LIMIT_S + 1)
    assert stage.states == ["ringing", "missed"]


def test_a_ring_for_which_the_door_dials_again_in_time_goes_on() -> None:
    stage = Stage()
    stage.call()
    stage.rings.waits("r1")
    stage.wait(REDIAL_LIMIT_S - 1)
    stage.call()
    stage.wait(600)
    assert stage.states == ["ringing"]


@pytest.mark.parametrize("how", ["missed", "lost"])
def test_a_ring_that_was_missed_rings_on_when_its_door_is_back(how: str) -> None:
    stage = Stage()
    stage.call()
    getattr(stage.rings, how)("r1")
    assert stage.call()
    assert stage.states == ["ringing", how, "ringing"]


def test_the_end_of_the_talk_is_told() -> None:
    stage = Stage()
    stage.call()
    stage.rings.answered("r1", "Anna")
    assert stage.heard[-1].talking
    stage.rings.talked("r1")
    assert not stage.heard[-1].talking


def test_an_opening_in_the_talk_is_told_and_changes_nothing_of_who_answered() -> None:
    stage = Stage()
    stage.call()
    stage.rings.answered("r1", "Anna")
    stage.rings.opened("r1", "Anna")
    assert (stage.states[-1], stage.heard[-1].opened_by) == ("answered", "Anna")


def test_a_page_that_connects_is_told_of_what_rings_and_of_what_just_ended() -> None:
    stage = Stage()
    stage.call("r1")
    stage.rings.given_up("r1")
    stage.call("r2")
    assert [ring.id for ring in stage.rings.news("anna")] == ["r1", "r2"]
    assert stage.rings.news("a-stranger") == []
    stage.wait(NEWS_S + 1)
    assert [ring.id for ring in stage.rings.news("anna")] == ["r2"]


def test_rings_that_are_over_are_forgotten() -> None:
    stage = Stage()
    stage.call()
    stage.rings.given_up("r1")
    stage.wait(REMEMBERED_S + 1)
    assert stage.rings.get("r1") is None


def test_a_door_that_rings_without_end_fills_no_memory() -> None:
    stage = Stage()
    for count in range(3 * RINGS_LIMIT):
        stage.call(f"r{count}")
        stage.rings.given_up(f"r{count}")
    assert sum(stage.rings.get(f"r{count}") is not None for count in range(3 * RINGS_LIMIT)) <= RINGS_LIMIT


STEPS = ("call", "waits", "answered", "refused", "opened", "given_up", "missed", "lost", "talked", "wait")


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_whatever_happens_a_ring_is_taken_once_and_ends(steps: list[str]) -> None:
    stage = Stage()
    for step in steps:
        if step == "call":
            stage.call()
        elif step == "wait":
            stage.wait(2)
        elif step in ("answered", "refused", "opened"):
            getattr(stage.rings, step)("r1", "Anna")
        else:
            getattr(stage.rings, step)("r1")
    taken = [state for state in stage.states if state not in ("ringing", "missed", "lost")]
    assert len(set(taken)) <= 1
    if taken:
        assert "ringing" not in stage.states[stage.states.index(taken[0]) :]
    stage.rings.waits("r1")
    stage.rings.talked("r1")
    stage.wait(REDIAL_LIMIT_S + 2)
    last = stage.rings.get("r1")
    assert last is None or (not last.rings and not last.talking)
