"""A machine whose header is not its first GPIO chip: an expander, a hat or another driver was found before it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.config import DoorConfig, PanelConfig
from intercom.gpio_chip import PATIENCE_S
from intercom.panel import FrontPanel, PinsError
from tests.hardware.gpio import GpioChip, pose_as_itself, pose_as_pi

pytest.importorskip("lgpio", reason="lgpio is not installed: pip install 'intercom[gpio]'")

PINS = PanelConfig(pins="gpio")
DOOR = DoorConfig(pulse_s=0.3, cap_s=5.0)
STOP_LIMIT_S = 5.0
"""The unit's TimeoutStopSec, of which it takes no more than half for its retries."""
LIMIT_S = 60.0


@pytest.fixture
def other() -> Iterator[GpioChip]:
    """Another chip, which comes first and is too small for the panel."""
    with GpioChip("other", label="pl061", lines=8) as chip:
        yield chip


@pytest.fixture
def header(other: GpioChip) -> Iterator[GpioChip]:
    with GpioChip() as chip:
        yield chip


def door_off(*options: str) -> tuple[int, str]:
    """Run `intercom door-off` as systemd does; return its exit status and what it said."""
    command = [sys.executable, "-m", "intercom", "door-off", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    return done.returncode, done.stdout + done.stderr


def test_the_panel_is_on_the_header(pi: GpioChip) -> None:
    pi.release(PINS.button_gpio)
    with FrontPanel(PINS, DOOR) as panel:
        assert panel.pins.description == "GPIO chip 1 (Raspberry Pi 4B)"
        panel.door.open(DOOR.cap_s)
        assert pi.is_high(DOOR.relay_gpio)


def test_the_door_is_locked_after_a_crash(pi: GpioChip) -> None:
    pi.drive(DOOR.relay_gpio, high=True)
    assert pi.is_high(DOOR.relay_gpio)
    status, said = door_off()
    assert (status, said) == (0, "The door's relay (GPIO 24) is off.\n")
    assert not pi.is_high(DOOR.relay_gpio)


def test_a_relay_that_a_low_pin_opens_is_locked_high(pi: GpioChip, tmp_path: Path) -> None:
    (tmp_path / "intercom.toml").write_text("[door]\nrelay_gpio = 25\nrelay_active_high = false\n")
    pi.drive(25, high=False)
    assert door_off("--config", str(tmp_path / "intercom.toml"))[0] == 0
    assert pi.is_high(25)


def test_a_relay_that_another_program_holds_is_told_with_its_name_and_in_time(pi: GpioChip) -> None:
    from gpiozero import OutputDevice
    from gpiozero.pins.lgpio import LGPIOFactory

    with LGPIOFactory(chip=1) as factory, OutputDevice(DOOR.relay_gpio, pin_factory=factory):
        status, said = door_off()
    assert status == 1
    assert "GPIO 24 (the door's relay) does not become free: stop the program that holds it (lg" in said
    assert PATIENCE_S < STOP_LIMIT_S / 2


@pytest.fixture
def headless(other: GpioChip, tmp_path: Path) -> Iterator[None]:
    """A Raspberry Pi without its header's chip."""
    pose_as_pi(tmp_path)
    yield
    pose_as_itself()


@pytest.mark.usefixtures("headless")
def test_without_the_header_the_panel_and_the_door_say_so_at_once() -> None:
    sentence = "No GPIO chip here is a Raspberry Pi's header (there is gpiochip0 (pl061, 8 lines))"
    with pytest.raises(PinsError) as refused:
        FrontPanel(PINS, DOOR)
    assert sentence in str(refused.value)
    status, said = door_off()
    assert status == 1
    assert sentence in said
