"""A button whose edges lgpio does not report, having lost its own thread's wake-up: it is felt all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hardware.gpio import GpioChip

pytest.importorskip("lgpio", reason="lgpio is not installed: pip install 'intercom[gpio]'")

BUTTON = 17
LIMIT_S = 150.0
DOOR = """
import queue
from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel

told = queue.Queue()
with FrontPanel(PanelConfig(pins="gpio"), DoorConfig()) as panel:
    panel.on_press = lambda _: told.put("pressed")
    panel.on_release = lambda: told.put("released")
    print("listening", flush=True)
    print(told.get(timeout=60), told.get(timeout=60), flush=True)
"""


def test_a_short_press_is_felt_although_the_thread_that_reports_it_slept(header: GpioChip, tmp_path: Path) -> None:
    deaf = tmp_path / "deaf-alerts.so"
    source = Path(__file__).with_name("deaf-alerts.c")
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", deaf, source, "-lpthread"], check=True)
    header.release(BUTTON)
    command = [sys.executable, "-c", DOOR]
    environment = {**os.environ, "LD_PRELOAD": str(deaf), "LG_WD": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as door:
        assert door.stdout is not None
        assert door.stdout.readline() == "listening\n"
        press_for(header, 0.1)
        output, _ = door.communicate(timeout=LIMIT_S)
    assert output == "pressed released\n"


def press_for(chip: GpioChip, length_s: float) -> None:
    """Press the button for so long, shorter than the readings of a button at rest are apart."""
    chip.press(BUTTON)
    time.sleep(length_s)
    chip.release(BUTTON)
