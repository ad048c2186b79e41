"""The attack: somebody unscrews the outer box, listens to the code or fits something that types, and opens the door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intercom.door.calls.active_call import CurrentCall
from intercom.door.entrance.entrance import BLOCK_FILE
from intercom.door.entrance.tamper_block import BLOCK_S
from intercom.opening.decision import Kind, Way
from intercom.signalwire import KeyPress
from tests.door.entrance.around import AroundTheDoor
from tests.keypad import Line

CODE = "7351"


class Scene(AroundTheDoor):
    """A door with a code, and a far end that knows it."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir, open_digits=CODE)
        self.told_far_end: list[dict[str, Any]] = []
        self.calls = 0

    def call(self) -> CurrentCall:
        """Begin a call with the house."""
        self.calls += 1
        line: Any = Line(f"call {self.calls}", "/private/house", Kind.RESIDENT)
        return CurrentCall(self.calls, line, outbound=True, rings_until=0.0, answered=True)

    def types(self, code: str, way: Any = "signalling") -> bool:
        """Type a code in a new call; whether the door opened."""
        before, call = self.lock.opened, self.call()
        for digit in code:
            told = self.opener.key(call, KeyPress(digit, way))
            if told is not None:
                self.told_far_end.append(told)
        return self.lock.opened > before


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("way", ["signalling", "media"])
def test_the_right_code_does_not_open_a_door_whose_box_is_open(scene: Scene, way: str) -> None:
    assert scene.types(CODE, way)
    scene.box(is_open=True)
    assert not scene.types(CODE, way)
    assert scene.told_far_end == [{"door": "refused", "reason": "tampered"}]


def test_closing_the_box_again_does_not_end_it_before_half_an_hour(scene: Scene) -> None:
    scene.box(is_open=True)
    scene.box(is_open=False)
    scene.passes(BLOCK_S - 1)
    assert not scene.types(CODE)
    scene.passes(1)
    assert scene.types(CODE)


def test_a_wrong_code_is_told_like_a_right_one(scene: Scene) -> None:
    scene.box(is_open=True)
    assert not scene.types("0000")
    scene.now += 2  # refusals are told once a second
    assert not scene.types(CODE)
    first, second = scene.told_far_end
    assert first == second


def test_a_restart_does_not_end_it(scene: Scene, tmp_path: Path) -> None:
    scene.box(is_open=True)
    (tmp_path / BLOCK_FILE).touch()  # as the watch writes it at once
    again = Scene(tmp_path)
    assert not again.types(CODE)
    again.passes(BLOCK_S - 1)
    assert not again.types(CODE)


def test_restarts_without_end_only_prolong_it(tmp_path: Path) -> None:
    (tmp_path / BLOCK_FILE).touch()
    for _ in range(10):
        again = Scene(tmp_path)
        again.passes(BLOCK_S / 2)
        assert not again.types(CODE)


def test_opening_and_closing_the_box_without_end_does_not_end_it(scene: Scene) -> None:
    for _ in range(10):
        scene.box(is_open=True)
        scene.box(is_open=False)
        scene.passes(BLOCK_S / 2)
        assert not scene.types(CODE)


def test_whoever_has_no_code_to_overhear_opens_as_before(scene: Scene) -> None:
    scene.box(is_open=True)
    scene.opener.button(scene.call())
    scene.opener.ask(Way.CONTROL, "pi")
    scene.opener.ask(Way.EXIT, "exit button")
    assert scene.lock.opened == 3
