"""The attack: a phone that was stolen, or another door, raises a door's alarm on every page, or silences it."""

from __future__ import annotations

import pytest

from tests.space.switch.test_alarm_desk import board, says, shown
from tests.space.switchboard import Switchboard

__all__ = ["board"]


def test_a_phone_neither_raises_nor_ends_an_alarm(board: Switchboard) -> None:
    says(board, "door", "tamper")
    assert "error" in says(board, "hall")
    assert "error" in says(board, "hall", "door_forced")
    assert shown(board, "kitchen") == {"/private/door": ["tamper"]}


def test_another_door_speaks_for_itself_alone(board: Switchboard) -> None:
    says(board, "door", "tamper")
    says(board, "door-2")
    assert shown(board, "kitchen") == {"/private/door": ["tamper"]}


@pytest.mark.parametrize("params", [{}, {"alarms": "tamper"}, {"alarms": None}, {"alarms": {"tamper": True}}])
def test_words_that_are_no_alarm_change_nothing(board: Switchboard, params: dict[str, object]) -> None:
    says(board, "door", "tamper")
    answer = board.rpc("door", "intercom.alarms", params)
    assert answer is not None
    assert "error" in answer
    assert shown(board, "kitchen") == {"/private/door": ["tamper"]}
