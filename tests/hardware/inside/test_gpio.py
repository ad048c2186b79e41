"""A Raspberry Pi's header on a real kernel: gpiozero and lgpio on lines that a test moves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from intercom.gpio_chip import header_chip
from intercom.panel.alerts import AlertWaker
from tests.hardware.gpio import GpioChip
from tests.hardware.wait import until

pytest.importorskip("lgpio", reason="lgpio is not installed: pip install 'intercom[gpio]'")

BUTTON, LIGHT = 17, 22
LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def lgpio_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lgpio may make its FIFO."""
    monkeypatch.setenv("LG_WD", str(tmp_path))


def test_a_press_reaches_the_program(pi: GpioChip) -> None:
    from gpiozero import Button
    from gpiozero.pins.lgpio import LGPIOFactory

    pi.release(BUTTON)
    pressed, released = threading.Event(), threading.Event()
    with LGPIOFactory() as factory, Button(BUTTON, pin_factory=factory) as button, closing(AlertWaker(header_chip())):
        button.when_pressed = pressed.set
        button.when_released = released.set
        pi.press(BUTTON)
        assert pressed.wait(LIMIT_S)
        pi.release(BUTTON)
        assert released.wait(LIMIT_S)


def test_a_light_is_seen_from_outside(pi: GpioChip) -> None:
    from gpiozero import LED
    from gpiozero.pins.lgpio import LGPIOFactory

    with LGPIOFactory() as factory, LED(LIGHT, pin_factory=factory) as light:
        light.on()
        assert pi.is_high(LIGHT)
        light.off()
        assert not pi.is_high(LIGHT)


def test_a_blinking_light_changes(pi: GpioChip) -> None:
    from gpiozero import LED
    from gpiozero.pins.lgpio import LGPIOFactory

    with LGPIOFactory() as factory, LED(LIGHT, pin_factory=factory) as light:
        light.blink(0.1, 0.1)
        for level in (True, False, True):
            until(lambda level=level: pi.is_high(LIGHT) == level, LIMIT_S, "the light changes")  # type: ignore[misc]  # a default


def test_gpiozero_alone_does_not_know_a_board_that_is_no_pi(header: GpioChip) -> None:
    """Why the panel brings a pin factory of its own."""
    from gpiozero import PinUnknownPi
    from gpiozero.pins.lgpio import LGPIOFactory

    with pytest.raises(PinUnknownPi):
        LGPIOFactory().board_info  # noqa: B018 (the look is what raises)


def test_lgpio_does_not_load_where_it_cannot_write() -> None:
    """Why the panel sets LG_WD: a hardened unit's working directory is read-only."""
    environment = {name: value for name, value in os.environ.items() if name != "LG_WD"}
    load = [sys.executable, "-c", "import lgpio"]

    read_only = subprocess.run(load, cwd="/usr", env=environment, capture_output=True, text=True, check=False)
    assert read_only.returncode != 0
    assert "lgd-nfy" in read_only.stderr

    subprocess.run(load, cwd="/usr", check=True)
