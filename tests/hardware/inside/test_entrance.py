"""Chime, contact, exit button and tamper switch on a real kernel, and a program that dies with the chime on."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel, Pattern
from tests.hardware.gpio import GpioChip
from tests.hardware.wait import until

pytest.importorskip("lgpio", reason="lgpio is not installed: pip install 'intercom[gpio]'")

PINS = PanelConfig(pins="gpio", chime_gpio=12, chime_s=0.5, bell_light_gpio=13)
DOOR = DoorConfig(contact_gpio=16, exit_gpio=19, tamper_gpio=20)
LONG = replace(PINS, chime_s=3.0)
"""Rings for longer than a busy machine takes from the ring to the death."""
LIMIT_S = 60.0

PROGRAM = f"""
import os, signal, sys
from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel
panel = FrontPanel({LONG!r}, {DOOR!r})
panel.entrance.ring()
print("rings", flush=True)
os.kill(os.getpid(), signal.Signals[sys.argv[1]])
"""
"""A program that rings the chime and then dies, or hangs, on the spot."""


@pytest.fixture
def panel(pi: GpioChip) -> Iterator[FrontPanel]:
    for line in (PINS.button_gpio, DOOR.exit_gpio):
        pi.release(line)
    with FrontPanel(PINS, DOOR) as panel:
        yield panel


def test_the_chime_rings_for_one_pulse(pi: GpioChip, panel: FrontPanel) -> None:
    told: queue.Queue[bool] = queue.Queue()
    assert panel.entrance.chime is not None
    panel.entrance.chime.on_change = told.put
    panel.entrance.ring()
    assert told.get(timeout=LIMIT_S) is True
    assert told.get(timeout=LIMIT_S) is False
    assert not pi.is_high(PINS.chime_gpio)


def test_the_second_bell_light_flashes(pi: GpioChip, panel: FrontPanel) -> None:
    assert panel.entrance.bell_light is not None
    panel.entrance.bell_light.show(Pattern.RINGING)
    until(lambda: pi.is_high(PINS.bell_light_gpio), LIMIT_S, "it is on")
    until(lambda: not pi.is_high(PINS.bell_light_gpio), LIMIT_S, "it is off")


def test_the_door_the_box_and_the_exit_button_are_told(pi: GpioChip, panel: FrontPanel) -> None:
    told: queue.Queue[str] = queue.Queue()
    entrance = panel.entrance
    assert entrance.contact is not None
    assert entrance.tamper is not None
    entrance.contact.on_move, entrance.tamper.on_move = lambda: told.put("door"), lambda: told.put("box")
    entrance.on_exit = lambda: told.put("exit")
    for is_open, move in ((False, pi.press), (True, pi.release)):
        move(DOOR.contact_gpio)
        assert told.get(timeout=LIMIT_S) == "door"
        move(DOOR.tamper_gpio)
        assert told.get(timeout=LIMIT_S) == "box"
        assert (entrance.door_is_open, entrance.box_is_open) == (is_open, is_open)
    pi.press(DOOR.exit_gpio)
    assert told.get(timeout=LIMIT_S) == "exit"


@pytest.mark.parametrize("death", ["SIGKILL", "SIGSTOP"])
def test_the_chime_falls_silent_when_the_program_dies_or_hangs(pi: GpioChip, tmp_path: Path, death: str) -> None:
    environment = {**os.environ, "LG_WD": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, death], env=environment, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "rings\n"
        until(lambda: not pi.is_high(PINS.chime_gpio), LIMIT_S, "the chime's relay goes off")
        assert program.wait(LIMIT_S) == -signal.SIGKILL
