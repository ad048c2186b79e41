"""The relay's pin, and how to turn it off from outside the appliance."""

import time
from typing import Any

from intercom.config import Config
from intercom.panel.errors import PinsError
from intercom.panel.pins import Pins, open_pins

PATIENCE_S = 3.0
"""How long a pin that another process still holds is tried for: a killed process gives it back within this."""

RETRY_S = 0.1


def claim_relay(pins: Pins, gpio: int, active_high: bool, *, patience_s: float = PATIENCE_S) -> Any:
    """Return the relay as a `gpiozero.OutputDevice`, off from the first moment.

    Raises PinsError when another process holds the pin for longer than `patience_s`, or when the board itself pulls it
    to the level that opens the door.
    """
    from gpiozero import OutputDevice

    _refuse_open_by_default(pins, gpio, active_high)
    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            return OutputDevice(gpio, active_high=active_high, initial_value=False, pin_factory=pins.factory)
        except Exception as error:
            # lgpio.error derives from Exception alone; it exists only where lgpio does.
            if type(error).__module__ != "lgpio":
                raise
            if time.monotonic() >= give_up_at:
                raise PinsError(
                    f"GPIO {gpio} (the door's relay) does not become free ({error}): "
                    "stop the program that holds it, `gpioinfo` names it."
                ) from error
            time.sleep(RETRY_S)


def release_relay(relay: Any) -> None:
    """Turn the relay off and give its pin back, pulled to off: a pin that floats may turn a relay on."""
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


def drive_off(choice: str, gpio: int, active_high: bool) -> str:
    """Turn the relay off from a process that does not own the panel; return what was done, for people.

    Raises PinsError.
    """
    pins = open_pins(choice)
    if pins.simulated:
        return f"Nothing to turn off: {pins.description}."
    release_relay(claim_relay(pins, gpio, active_high))
    pins.factory.close()
    return f"The door's relay (GPIO {gpio}) is off."


def force_closed(config: Config) -> str:
    """Turn the door's relay off, for systemd's ExecStopPost; return what was done, for people.

    Raises PinsError.
    """
    return drive_off(config.panel.pins, config.door.relay_gpio, config.door.relay_active_high)
