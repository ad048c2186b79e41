"""What `intercom doctor` says of the door, the box and the exit button."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.cli.checks.entrance import ALARM_KINDS, entrance
from intercom.cli.checks.finding import BAD, GOOD, WARNING
from intercom.door.health.faults import ALARMS


def document(**door: Any) -> dict[str, Any]:
    """A status with this in its door."""
    return {"faults": [], "door": door, "tamper": None}


def test_the_alarms_are_those_of_the_door() -> None:
    assert frozenset(ALARMS) == ALARM_KINDS


@pytest.mark.parametrize("kind", ALARMS)
def test_an_alarm_is_bad_and_says_what_to_do(kind: str) -> None:
    doc = document() | {"faults": [{"kind": kind, "lasted_s": 200.0}]}
    (finding,) = entrance(doc)
    assert finding.verdict == BAD
    assert "3 min 20 s" in finding.told
    assert finding.mend


def test_what_is_broken_is_not_its_business() -> None:
    assert list(entrance(document() | {"faults": [{"kind": "camera", "lasted_s": 1.0}]})) == []


def test_a_door_with_nothing_around_it_has_no_finding() -> None:
    assert list(entrance(document(contact=None, exit_stuck=False))) == []


@pytest.mark.parametrize(("state", "verdict"), [("closed", GOOD), ("open", WARNING)])
def test_the_contact_is_told(state: str, verdict: str) -> None:
    (finding,) = entrance(document(contact={"state": state}))
    assert (finding.verdict, finding.told) == (verdict, f"says that the door is {state}")


def test_an_exit_button_that_is_stuck_is_bad() -> None:
    (finding,) = entrance(document(exit_stuck=True))
    assert finding.verdict == BAD


def test_a_closed_box_is_good() -> None:
    (finding,) = entrance(document() | {"tamper": {"open": False, "blocks_s": 0}})
    assert finding.verdict == GOOD
