"""The alarm of a door at which somebody guesses: it lasts for as long as no keys open the door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from intercom.config import DoorConfig
from intercom.door.guesses import Guesses
from intercom.door.health.faults import WRONG_CODES, Faults
from intercom.facts import DoorRefused
from intercom.history.journal import Journal
from intercom.opening.opener import DoorOpener
from tests.keypad import Keypad
from tests.virtual_time import VirtualLoop


class Scene:
    """A door with a code, its faults, and a far end with keys."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.journal = Journal(_raise)
        self.faults = Faults(self.journal.tell, clock=self.loop.time)
        self.keypad = Keypad()
        self.keypad.opener = DoorOpener(
            DoorConfig(open_digits="7351"), lock=self.keypad.lock, tell=self.journal.tell, clock=self.loop.time
        )
        guesses = Guesses(self.keypad.opener, self.faults)
        self.journal.subscribe(guesses.hear)
        self.work = self.loop.create_task(guesses.run())

    def types(self, *codes: str) -> None:
        """Type codes, and let what follows happen."""
        for code in codes:
            self.keypad.types(code)
        self.loop.settle()

    @property
    def alarm(self) -> bool:
        """Whether somebody is told to guess."""
        return WRONG_CODES in self.faults.open


def _raise(error: Exception) -> None:
    raise error


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.work.cancel()
    scene.loop.settle()
    scene.loop.close()


def test_two_wrong_codes_are_slips(scene: Scene) -> None:
    scene.types("0000", "0000", "7351", "0000", "0000")
    assert not scene.alarm


def test_the_third_is_an_alarm_until_keys_count_again(scene: Scene) -> None:
    scene.types("0000", "0000", "0000")
    assert scene.faults.open[WRONG_CODES].why == "no keys open the door for 30 s"
    scene.loop.wait(29.0)
    assert scene.alarm
    scene.loop.wait(2.0)
    assert not scene.alarm


def test_who_goes_on_typing_meanwhile_raises_no_other(scene: Scene) -> None:
    scene.types("0000", "0000", "0000", "0000", "7351")
    scene.loop.wait(31.0)
    assert not scene.alarm
    assert len(scene.faults.past) == 1


def test_who_begins_again_afterwards_does(scene: Scene) -> None:
    for _ in range(2):
        scene.types("0000", "0000", "0000")
        scene.loop.wait(60.0)
    assert [round(fault.lasted_s or 0.0) for fault in scene.faults.past] == [30, 60]


def test_another_refusal_is_none(scene: Scene) -> None:
    scene.journal.tell(DoorRefused("not_named"))
    scene.loop.settle()
    assert not scene.alarm
