"""A whole door's event loop goes first while it rings, and not after it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intercom.config import AudioConfig, CallConfig, PanelConfig
from intercom.door.machine import Phase
from intercom.service.urgency import go_first
from tests.e2e.home import Home, home_config


def _goes_first() -> bool:
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    go_first(True)
    is_allowed = _goes_first()
    go_first(False)
    if not is_allowed:
        pytest.skip("this user may not go first")
    panel = PanelConfig(pins="simulated", page_listen="")
    config = home_config(audio=AudioConfig(card="simulated"), panel=panel, call=CallConfig(video=False))
    home = Home(tmp_path, config)
    await home.start()
    yield home
    await home.stop()


async def test_a_door_goes_first_while_it_rings_and_no_more_when_the_visitor_gives_up(home: Home) -> None:
    assert home.door is not None
    machine = home.door.machine
    assert not _goes_first()
    await home.press()
    await home.wait_for(lambda: machine.phase is Phase.RINGING_OUT, "the ring")
    assert _goes_first()
    machine.hold()
    assert not _goes_first()


async def test_a_door_that_is_stopped_while_it_rings_goes_first_no_more(home: Home) -> None:
    assert home.door is not None
    machine = home.door.machine
    await home.press()
    await home.wait_for(lambda: machine.phase is Phase.RINGING_OUT, "the ring")
    await home.door.stop()
    assert not _goes_first()
