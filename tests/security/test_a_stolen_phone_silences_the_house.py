"""A stolen phone that is still paired wants the burglary unheard: it silences the house, or the others' phones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from tests.space.switch.rings.test_bell import invite, press
from tests.space.switch.rings.test_quiet import Quiet

FOR_GOOD = {"quiet": True, "notify": False}


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Quiet]:
    """A house whose door always gets through; the thief has Ben's phone."""
    made = Quiet(tmp_path, SpaceConfig(quiet_except=("/private/door",)))
    yield made
    made.store.close()


def test_it_silences_no_other_device(quiet: Quiet) -> None:
    for wish in ({"of": "anna"}, {"device": "anna"}, {"subscriber": "anna", "of": "device"}):
        quiet.asks("ben", **FOR_GOOD, **wish)
    assert [device.reference for device in quiet.store.quiet.devices()] in ([], ["ben"])


def test_every_page_shows_that_the_house_is_silent_and_switches_its_bells_on_again(quiet: Quiet) -> None:
    quiet.asks("ben", of="house", **FOR_GOOD)
    assert quiet.told("anna")["house"]["quiet"]
    quiet.asks("anna", of="house", quiet=False)
    assert not quiet.told("ben")["house"]["quiet"]


def test_it_does_not_turn_off_that_rings_are_shown(quiet: Quiet) -> None:
    quiet.asks("ben", of="house", **FOR_GOOD)
    assert quiet.told("anna")["house"]["notify"]


def test_whoever_always_gets_through_is_heard_all_the_same(quiet: Quiet) -> None:
    quiet.asks("ben", of="house", **FOR_GOOD)
    press(quiet.board)
    assert "silent" not in invite(quiet.board, "anna")
