"""Several buttons and their plans in a whole door with a real space: what the status and the commands say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intercom.cli import render
from intercom.config import AudioConfig, ButtonConfig, CallConfig, PanelConfig, StepConfig
from intercom.facts import Pressed
from tests.e2e.home import Home, home_config

BUTTONS = ButtonConfig(gpio=5, name="House"), ButtonConfig(gpio=6, name="Office", plan="office")
STEPS = (
    StepConfig(name="usual", ring=("/private/house",)),
    StepConfig(plan="office", name="attic", ring=("/private/attic",), ring_time_s=150.0),
    StepConfig(plan="office", name="hall", ring=("/private/hall",), ring_time_s=150.0),
)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    panel = PanelConfig(pins="simulated", page_listen="", hold_s=10.0, button=BUTTONS)
    config = home_config(audio=AudioConfig(card="simulated"), panel=panel, call=CallConfig(plan=STEPS, video=False))
    home = Home(tmp_path, config)
    await home.start()
    home.space.store.add_subscriber("hall", "Hall")
    yield home
    await home.stop()


async def test_the_second_button_rings_by_its_plan_and_the_status_says_at_which_step(home: Home) -> None:
    door, pressed = home.door, []
    assert door is not None
    door.journal.subscribe(lambda entry: pressed.append(entry.fact) if isinstance(entry.fact, Pressed) else None)
    door.panel.simulate_button(True, 1)
    await home.wait_for(lambda: bool(pressed), "the press")
    door.panel.simulate_button(False, 1)
    await home.wait_for(lambda: door.calls.kept is not None and door.calls.kept.walk.at == 1, "the second step")
    assert [fact.button for fact in pressed] == ["Office"]
    status = door.handlers.status()
    assert {name: status["press"][name] for name in ("button", "step", "steps", "name", "rings")} == {
        "button": "Office",
        "step": 2,
        "steps": 2,
        "name": "hall",
        "rings": "/private/hall",
    }
    assert status["messages"] == {"kept": 0, "unsent": 0}
    assert f"step 2 of 2 (hall): {status['press']['why']}" in render.status(status, colour=False)
