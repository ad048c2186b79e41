"""Where the pins come from, and the one sentence when there are none."""

import importlib.util
import sys
from pathlib import Path

import pytest
from gpiozero import PWMLED
from gpiozero.pins.mock import MockFactory

from intercom.gpio_chip import Chip
from intercom.panel import PinsError
from intercom.panel.pins import Pins, claim, open_pins, simulated_pins
from intercom.panel.relay.pin import claim_relay, release_relay

HEADER = Chip("/dev/gpiochip1", "pinctrl-bcm2711", 8)


@pytest.fixture
def a_pi(tmp_path: Path) -> Path:
    """The files by which a Raspberry Pi is known, without its GPIO chip."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "dev").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("processor\t: 0\nRevision\t: c03111\n")
    return tmp_path


def test_a_machine_that_is_no_pi_gets_simulated_pins_and_says_so(tmp_path: Path) -> None:
    pins = open_pins("auto", root=tmp_path)
    assert pins.simulated
    assert pins.description == "simulated pins (this is no Raspberry Pi)"


def test_another_computers_gpio_chip_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "gpiochip0").touch()
    assert open_pins("auto", root=tmp_path).simulated


def test_a_pi_without_a_gpio_chip_says_what_to_do(a_pi: Path) -> None:
    with pytest.raises(PinsError, match=r"no /dev/gpiochip\*.*panel.pins"):
        open_pins("auto", root=a_pi)


def test_gpio_without_lgpio_says_what_to_install(a_pi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intercom.panel.pins.header_chip", lambda root: HEADER)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PinsError, match="sudo apt install python3-lgpio"):
        open_pins("gpio", root=a_pi)


def test_simulated_pins_on_a_pi_when_asked_for(a_pi: Path) -> None:
    assert open_pins("simulated", root=a_pi).simulated


def test_simulated_pins_whose_light_flashes_for_days_take_no_more_memory() -> None:
    light = PWMLED(17, pin_factory=simulated_pins().factory)

    def flash(times: int) -> int:
        for _ in range(times):
            light.value = 0.5
            light.value = 0.0
        return sys.getallocatedblocks()

    before = flash(500)
    assert flash(2000) < before + 500, "two blocks and more a flash, where each is remembered"
    light.close()


def test_a_line_that_the_header_s_chip_does_not_have_is_one_clear_error() -> None:
    pins = Pins(MockFactory(), False, "a small chip", HEADER)
    with pytest.raises(PinsError, match=r"GPIO 24 is not on gpiochip1 \(pinctrl-bcm2711, 8 lines\).*door.relay_gpio"):
        claim(pins, 24, "door.relay_gpio", lambda: pytest.fail("it is tried all the same"))


class BusyFactory(MockFactory):  # type: ignore[misc]  # gpiozero is untyped
    """Pins that another process holds at first."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    def pin(self, name: object) -> object:
        if self.refusals:
            self.refusals -= 1
            busy = type("error", (Exception,), {"__module__": "lgpio"})
            raise busy("'GPIO busy'")
        return super().pin(name)


def test_a_relay_that_a_dying_process_still_holds_is_waited_for() -> None:
    relay = claim_relay(Pins(BusyFactory(2), True, "busy"), 24, True)
    assert not relay.value
    relay.close()


def test_a_relay_that_stays_busy_is_one_clear_error() -> None:
    with pytest.raises(PinsError, match=r"GPIO 24 \(door.relay_gpio\) is taken: stop the program that holds it"):
        claim_relay(Pins(BusyFactory(99), True, "busy"), 24, True, patience_s=0)


def test_an_active_low_relay_is_claimed_high() -> None:
    pins = simulated_pins()
    relay = claim_relay(pins, 24, False)
    assert pins.factory.pin(24).state == 1
    relay.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_a_relay_that_was_given_back_is_pulled_to_off(active_high: bool) -> None:
    pins = simulated_pins()
    relay = claim_relay(pins, 24, active_high)
    relay.on()
    release_relay(relay)
    pin = pins.factory.pin(24)
    assert (pin.function, pin.pull) == ("input", "down" if active_high else "up")
    assert bool(pin.state) is not active_high


def test_a_pin_that_the_board_pulls_up_cannot_hold_a_door_closed() -> None:
    with pytest.raises(PinsError, match="GPIO 2 has a fixed pull-up"):
        claim_relay(simulated_pins(), 2, True)
    claim_relay(simulated_pins(), 2, False).close()
