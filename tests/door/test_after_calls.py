"""What a call took is returned once it is over, and never while there is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from intercom.door.after_calls import REST_S, AfterCalls
from intercom.door.machine import Phase
from intercom.facts import StateChanged
from intercom.history.journal import Entry
from tests.virtual_time import VirtualLoop


class Scene:
    """A door's phases, and how often its memory was returned."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.returned = 0
        self.after_calls = AfterCalls(self._rest)
        self.work = self.loop.create_task(self.after_calls.run())
        self.loop.settle()

    async def _rest(self) -> None:
        self.returned += 1

    def phase(self, phase: Phase) -> None:
        self.after_calls.hear(Entry(1, datetime.now(UTC), 0.0, StateChanged("idle", phase.value, "")))


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.work.cancel()
    scene.loop.settle()
    scene.loop.close()


def test_a_call_s_memory_is_returned_when_it_has_been_over_for_a_while(scene: Scene) -> None:
    scene.phase(Phase.RINGING_OUT)
    scene.phase(Phase.ACTIVE)
    scene.loop.wait(60)
    scene.phase(Phase.NONE)
    scene.loop.wait(REST_S - 1)
    assert scene.returned == 0
    scene.loop.wait(60)
    assert scene.returned == 1


def test_nothing_is_returned_while_the_next_call_goes_on(scene: Scene) -> None:
    scene.phase(Phase.ACTIVE)
    scene.phase(Phase.NONE)
    scene.loop.wait(REST_S - 1)
    scene.phase(Phase.RINGING_IN)
    scene.loop.wait(60)
    assert scene.returned == 0
    scene.phase(Phase.NONE)
    scene.loop.wait(60)
    assert scene.returned == 1


def test_a_door_that_was_in_no_call_has_nothing_to_return(scene: Scene) -> None:
    scene.phase(Phase.NONE)
    scene.loop.wait(60)
    assert scene.returned == 0
