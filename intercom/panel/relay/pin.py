"""Claims and releases a relay's pin."""

import time
from typing import Any

from intercom.panel.errors import PinBusyError, PinsError
from intercom.panel.pins import Pins, claim

PATIENCE_S = 3.0
"""Limit of the retries for a pin that another process still holds: a killed process releases it within this."""

RETRY_S = 0.1
"""Retry interval while another process holds the pin."""


def claim_relay(
    pins: Pins, gpio: int, active_high: bool, *, setting: str = "door.relay_gpio", patience_s: float = PATIENCE_S
) -> Any:
    """Return the relay that this setting names as a `gpiozero.OutputDevice`, off from the first moment.

    Raises PinsError when another process holds the pin for longer than `patience_s`, or when the board itself pulls it
    to the level that turns the relay on.
    """
    from gpiozero import OutputDevice

    _refuse_on_by_default(pins, gpio, active_high, setting)

    def off() -> Any:
        return OutputDevice(gpio, active_high=active_high, initial_value=False, pin_factory=pins.factory)

    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            return claim(pins, gpio, setting, off)
        except PinBusyError:
            if time.monotonic() >= give_up_at:
                raise
            time.sleep(RETRY_S)


def release_relay(relay: Any) -> None:
    """Turn the relay off and release its pin, pulled to off: a floating pin may turn a relay on."""
    if relay.closed:
        return
    relay.off()
    relay.pin.function = "input"
    relay.pin.pull = "down" if relay.active_high else "up"
    relay.close()


def _refuse_on_by_default(pins: Pins, gpio: int, active_high: bool, setting: str) -> None:
    for _, info in pins.factory.board_info.find_pin(gpio):
        if info.pull == ("up" if active_high else "down"):
            raise PinsError(
                f"GPIO {gpio} has a fixed pull-{info.pull} resistor on the board: the relay would be on whenever no "
                f"program runs. Choose another {setting}."
            )
