"""A whole door with chime, bell light, contact, exit button and tamper switch, on simulated pins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from intercom.cli import render
from intercom.config import AudioConfig, DoorConfig
from intercom.door.entrance.entrance import BLOCK_FILE
from intercom.door.health import metrics
from intercom.facts import ChimeRang, DoorMoved, DoorOpened, ExitPressed, Fact, Tampered
from intercom.history import families
from intercom.panel import Pattern
from tests.e2e.home import Home, home_config

CHIME, LIGHT, CONTACT, EXIT, TAMPER = 5, 6, 12, 13, 16


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    config = home_config(
        audio=AudioConfig(card="simulated"),
        door=DoorConfig(pulse_s=0.5, contact_gpio=CONTACT, exit_gpio=EXIT, tamper_gpio=TAMPER),
    )
    config = replace(config, panel=replace(config.panel, chime_gpio=CHIME, bell_light_gpio=LIGHT))
    home = Home(tmp_path, config)
    await home.start()
    yield home
    await home.stop()


async def told(home: Home, fact: Fact) -> None:
    """Wait until the door has told its journal this."""
    assert home.door is not None
    journal = home.door.journal
    await home.wait_for(lambda: any(entry.fact == fact for entry in journal.since(0)), str(fact))


async def test_chime_and_exit_button_work_while_the_network_is_down(home: Home) -> None:
    async def meanwhile() -> None:
        await home.press()
        await told(home, ChimeRang())
        assert any(moment.state for moment in home.pins.pin(CHIME).states)
        await home.wait_for(lambda: any(moment.state for moment in home.pins.pin(LIGHT).states), "the bell light")
        home.pins.pin(EXIT).drive_low()
        await told(home, ExitPressed(opens=True))
        await told(home, DoorOpened("exit button"))
        assert home.relay_was_on()

    await home.restart_space(meanwhile)


async def test_a_forced_door_and_an_opened_box_are_told_everywhere(home: Home) -> None:
    assert home.door is not None
    door = home.door
    home.pins.pin(CONTACT).drive_high()
    await told(home, DoorMoved("forced"))
    home.pins.pin(TAMPER).drive_high()
    await told(home, Tampered(is_open=True, blocks=True))
    status = door.handlers.status()
    assert status["door"]["contact"]["state"] == "forced"
    assert status["tamper"] == {"open": True, "blocks_s": 1800}
    assert {fault["kind"] for fault in status["faults"]} >= {"door_forced", "tamper"}
    assert door.feedback.pattern is Pattern.TAMPERED
    shown = render.status(status, colour=False)
    assert "was forced" in shown
    assert "no keys open it for 30 min 00 s: the box is open" in shown
    figures = families.text(metrics.figures(door.parts, uptime_s=1.0))
    for line in (
        'intercom_door_contact{state="forced"} 1',
        "intercom_box_open 1",
        "intercom_keys_blocked_seconds 1800",
        'intercom_fault_open{kind="tamper"} 1',
    ):
        assert line in figures.splitlines()
    await home.wait_for((home.state_dir / BLOCK_FILE).exists, "the block to be kept")


async def test_the_block_outlives_a_crash(home: Home) -> None:
    home.pins.pin(TAMPER).drive_high()
    await home.wait_for((home.state_dir / BLOCK_FILE).exists, "the block to be kept")
    await home.crash_and_start_again()  # and the box is closed meanwhile
    assert home.door is not None
    assert home.door.entrance.blocks_keys
    assert home.door.feedback.pattern is Pattern.TAMPERED
