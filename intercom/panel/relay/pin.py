"""Claims and releases the relay's pin."""

import time
from typing import Any

from intercom.panel.errors import PinBusyError, PinsError
from intercom.panel.pins import Pins, claim

PATIENCE_S = 3.0
"""Limit of the retries for a pin that another process still holds: a killed process releases it within this."""

RETRY_S = 0.1
"""Retry interval while another process holds the pin."""


def claim_relay(pins: Pins, gpio: int, active_high: bool, *, patience_s: float = PATIENCE_S) -> Any:
    """Return the relay as a `gpiozero.OutputDevice`, off from the first moment.

    Raises PinsError when another process holds the pin for longer than `patience_s`, or when the board itself pulls it
    to the level that opens the door.
    """
    from gpiozero import OutputDevice

    _refuse_open_by_default(pins, gpio, active_high)

    def off() -> Any:
        return OutputDevice(gpio, active_high=active_high, initial_value=False, pin_factory=pins.factory)

    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            return claim(pins, gpio, "door.relay_gpio", off)
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


def _refuse_open_by_default(pins: Pins, gpio: int, active_high: bool) -> None:
    for _, info in pins.factory.board_info.find_pin(gpio):
        if info.pull == ("up" if active_high else "down"):
            raise PinsError(
                f"GPIO {gpio} has a fixed pull-{info.pull} resistor on the board: the door would be open whenever no "
                "program runs. Choose another door.relay_gpio."
            )
