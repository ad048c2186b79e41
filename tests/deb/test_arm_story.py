"""How `make arm` tells what it saw: a step that fails ends it, and no later step is taken."""

from __future__ import annotations

import itertools

import pytest

from tests.arm.telling import tell
from tests.hardware.guest import GuestError


def test_a_story_whose_steps_all_hold_is_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    steps = {"it boots": lambda: "6.1\n", "it rings": lambda: ""}
    assert tell(steps, lambda: "the journal", clock=itertools.count(step=3).__next__) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("ok  it boots (3 s here): 6.1")
    assert second.startswith("ok  it rings")
    assert last.startswith("All 2 steps")


@pytest.mark.parametrize("error", [AssertionError("no ring"), GuestError("no ring"), TimeoutError("no ring")], ids=repr)
def test_a_step_that_fails_ends_the_story_with_the_machine_s_journal(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[str] = []

    def fails() -> str:
        raise error

    def is_not_reached() -> str:
        taken.append("later")
        return ""

    assert tell({"it rings": fails, "it opens": is_not_reached}, lambda: "the journal") == 1
    assert taken == []
    assert capsys.readouterr().out == "FAILED  it rings\nno ring\nthe journal\n"
