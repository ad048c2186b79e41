"""The event loop goes first from a ring until its call has its sound, and in a call whose sound card went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from intercom.door import events
from intercom.door.health.restarts import Restarts
from intercom.door.machine import Phase, State
from intercom.door.parts import Parts
from intercom.door.urgency import CARD_AFTER_S, CARD_LONGEST_S, RING_LONGEST_S, SOUND_S, CallUrgency
from intercom.facts import StateChanged
from intercom.history.journal import Entry
from intercom.media.events import DeviceLost, DeviceReturned
from intercom.service.urgency import Urgency
from tests.virtual_time import VirtualLoop

MOMENT_S = 0.1


class Scene:
    """A door's phases in a loop whose time is the test's."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.is_first = False
        self.urgency = CallUrgency(Urgency(self._go_first))

    def _go_first(self, is_first: bool) -> None:
        self.is_first = is_first

    def phase(self, phase: Phase, state: State = State.IDLE) -> None:
        async def hear() -> None:
            self.urgency.hear(Entry(1, datetime.now(UTC), 0.0, StateChanged(state.value, phase.value, "")))

        self.loop.run(hear())

    def talk(self) -> None:
        self.phase(Phase.RINGING_OUT)
        self.phase(Phase.ACTIVE)
        self.loop.wait(SOUND_S + MOMENT_S)
        assert not self.is_first

    def lose_card(self) -> None:
        async def lost() -> None:
            self.urgency.card_lost()

        self.loop.run(lost())

    def return_card(self) -> None:
        async def returned() -> None:
            self.urgency.card_returned()

        self.loop.run(returned())


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.loop.close()


@pytest.mark.parametrize("ringing", [Phase.RINGING_OUT, Phase.RINGING_IN])
def test_the_loop_goes_first_from_a_ring_until_the_call_has_its_sound(scene: Scene, ringing: Phase) -> None:
    scene.phase(ringing)
    scene.loop.wait(RING_LONGEST_S / 2)
    assert scene.is_first
    scene.phase(Phase.ACTIVE)
    scene.loop.wait(SOUND_S - MOMENT_S)
    assert scene.is_first
    scene.loop.wait(2 * MOMENT_S)
    assert not scene.is_first


def test_a_ring_that_nobody_answers_does_not_keep_the_loop_first(scene: Scene) -> None:
    scene.phase(Phase.RINGING_OUT)
    scene.phase(Phase.NONE)
    assert not scene.is_first


def test_a_ring_that_lasts_keeps_the_loop_first_no_longer_than_its_limit(scene: Scene) -> None:
    scene.phase(Phase.RINGING_OUT)
    scene.loop.wait(RING_LONGEST_S + MOMENT_S)
    assert not scene.is_first


def test_a_fault_in_a_call_is_no_answer(scene: Scene) -> None:
    scene.talk()
    scene.phase(Phase.ACTIVE, State.RECOVERING)
    assert not scene.is_first


def test_a_card_that_goes_in_a_call_lets_the_loop_go_first_until_a_moment_after_it_is_back(scene: Scene) -> None:
    scene.talk()
    scene.lose_card()
    scene.loop.wait(CARD_LONGEST_S / 2)
    assert scene.is_first
    scene.return_card()
    assert scene.is_first
    scene.loop.wait(CARD_AFTER_S + MOMENT_S)
    assert not scene.is_first


def test_a_call_that_ends_while_its_card_is_away_waits_for_it_no_more(scene: Scene) -> None:
    scene.talk()
    scene.lose_card()
    scene.phase(Phase.NONE)
    assert not scene.is_first


def test_a_card_that_goes_while_nobody_talks_is_not_urgent(scene: Scene) -> None:
    scene.lose_card()
    assert not scene.is_first


def test_a_card_that_comes_while_it_rings_leaves_the_loop_first_for_the_answer(scene: Scene) -> None:
    scene.phase(Phase.RINGING_OUT)
    scene.return_card()
    scene.loop.wait(CARD_AFTER_S + MOMENT_S)
    assert scene.is_first


def test_the_engine_s_loss_and_return_of_a_card_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    urgency = SimpleNamespace(card_lost=lambda: told.append("lost"), card_returned=lambda: told.append("returned"))
    monkeypatch.setattr(events, "CallUrgency", lambda: urgency)
    machine = SimpleNamespace(fault=lambda *_: None, fault_cleared=lambda _: None)
    door = SimpleNamespace(machine=machine, feedback=SimpleNamespace(sound_lost=lambda: None))

    def at_once(work: Any, *given: object) -> None:
        if getattr(work, "__name__", "") != "_card_came":
            work(*given)

    parts = events.PartEvents(cast(Parts, door), cast(Restarts, None), in_loop=at_once, spawn=lambda work: work.close())
    parts.engine(DeviceLost("capture", "it was unplugged"))
    parts.engine(DeviceReturned("capture", 1.0))
    assert told == ["lost", "returned"]
