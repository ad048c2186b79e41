"""A program that opened the door dies or hangs on a real kernel, and the relay goes off all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel
from tests.hardware.gpio import GpioChip
from tests.hardware.wait import until

pytest.importorskip("lgpio", reason="lgpio is not installed: pip install 'intercom[gpio]'")

PINS = PanelConfig(pins="gpio")
DOOR = DoorConfig(pulse_s=0.3, cap_s=4.0)
"""Open for longer than a busy machine takes from the opening to the death."""
LIMIT_S = 60.0

APPLIANCE = f"""
import os, signal, sys
from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel
panel = FrontPanel({PINS!r}, {DOOR!r})
panel.door.open(4.0)
print("open", flush=True)
if sys.argv[2:]:
    os.kill(panel.guard_pid, signal.SIGSTOP)
os.kill(os.getpid(), signal.Signals[sys.argv[1]])
"""
"""A program that opens the door and then dies, or hangs, on the spot."""


@pytest.mark.parametrize("death", ["SIGKILL", "SIGSEGV", "SIGSTOP", "SIGSTOP with its guard"])
def test_the_door_closes_when_the_program_dies_or_hangs(pi: GpioChip, tmp_path: Path, death: str) -> None:
    environment = {**os.environ, "LG_WD": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", APPLIANCE, *death.split(" ", 1)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        until(lambda: not pi.is_high(DOOR.relay_gpio), DOOR.cap_s + LIMIT_S, "the relay goes off")
        assert program.wait(LIMIT_S) in {-signal.SIGKILL, -signal.SIGSEGV}


def test_a_guard_that_is_killed_is_replaced_before_the_door_opens(pi: GpioChip) -> None:
    def guard() -> str:
        found = ["pgrep", "--parent", str(os.getpid()), "--full", "relay_watchdog.py", "--runstates", "RSD"]
        return subprocess.run(found, capture_output=True, text=True, check=False).stdout.strip()

    with FrontPanel(PINS, DoorConfig()) as panel:
        first = guard()
        os.kill(int(first), signal.SIGKILL)
        until(lambda: not guard(), LIMIT_S, "the guard is dead")

        panel.door.open()
        assert pi.is_high(DOOR.relay_gpio)
        assert guard() not in {"", first}
