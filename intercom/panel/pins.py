"""Opens the source of the pins: the Raspberry Pi's header, or gpiozero's own simulated pins."""

import importlib.util
import os
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from intercom.gpio_chip import Chip, GpioError, header_chip, is_pi
from intercom.later import import_without
from intercom.panel.errors import PinBusyError, PinsError

INSTALL_LGPIO = (
    "install it with `sudo apt install python3-lgpio` (a virtual environment then needs --system-site-packages) "
    'or `pip install "intercom[gpio]"`'
)

PI_4B_REVISION = 0xC03111
"""Revision that defines the header's layout for a board without a Raspberry Pi revision: GPIO n is line n."""


ENTRY_POINTS = "importlib.metadata"
"""Module by which gpiozero finds a pin factory where it is given none."""
STATES_KEPT = 16
"""Limit of a simulated pin's past states. gpiozero keeps all, for tests: 780 MB a day while a light breathes."""
UNUSED_OF_GPIOZERO = ("gpiozero.boards", "gpiozero.internal_devices", "gpiozero.spi_devices", "colorzero", "statistics")
"""What gpiozero imports for other devices than a door's."""


class Pins(msgspec.Struct, frozen=True):
    """A source of pins."""

    factory: Any
    """The gpiozero pin factory; pass it to each device."""
    simulated: bool
    """Whether there is no hardware: the panel page presses the button."""
    description: str
    """Description in one line, for people."""
    chip: Chip | None = None
    """The GPIO chip with the header's lines; None for simulated pins."""


def open_pins(choice: str, *, root: Path = Path("/")) -> Pins:
    """Return the pins that `choice` ("auto", "gpio", "simulated") asks for.

    "auto" is "gpio" on a Raspberry Pi and "simulated" elsewhere: another computer's GPIO chip may hold its own fans
    and power. `root` is where /proc and /dev are looked for.

    Raises PinsError, with what to install or change.
    """
    import_without("gpiozero", *UNUSED_OF_GPIOZERO, ENTRY_POINTS)
    if choice == "simulated":
        return simulated_pins("as configured")
    on_a_pi = is_pi(str(root))
    if choice == "auto" and not on_a_pi:
        return simulated_pins("this is no Raspberry Pi")
    try:
        chip = header_chip(str(root))
    except GpioError as error:
        raise PinsError(str(error)) from error
    if importlib.util.find_spec("lgpio") is None:
        raise PinsError(f'GPIO needs lgpio: {INSTALL_LGPIO}. Or set panel.pins to "simulated".')
    return _lgpio_pins(chip, on_a_pi)


def claim(pins: Pins, gpio: int, setting: str, make: Callable[[], Any]) -> Any:
    """Return the device that `make` opens on this GPIO, which the configuration's `setting` chose.

    Raises PinBusyError when another program holds the pin, PinsError when it cannot be had at all.
    """
    if pins.chip is not None and gpio >= pins.chip.lines:
        raise PinsError(f"GPIO {gpio} is not on {pins.chip}: choose another {setting}.")
    try:
        return make()
    except Exception as error:
        # lgpio.error derives from Exception alone; it exists only where lgpio does.
        if type(error).__module__ != "lgpio":
            raise
        user = "" if pins.chip is None else pins.chip.user_of(gpio)
        if user is None:
            raise PinsError(f"GPIO {gpio} ({setting}) on {pins.chip} cannot be used: {error}.") from error
        raise PinBusyError(
            f"GPIO {gpio} ({setting}) is taken: stop the program that holds it{user and f', {user}'}."
        ) from error


def simulated_pins(reason: str = "as asked") -> Pins:
    """Return gpiozero's mock pins, with PWM."""
    import_without("gpiozero.pins.mock", ENTRY_POINTS)
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    class ForgetfulPin(MockPWMPin):  # type: ignore[misc]  # gpiozero is untyped
        def clear_states(self) -> None:
            super().clear_states()
            self.states: deque[Any] = deque(self.states, STATES_KEPT)

    return Pins(MockFactory(pin_class=ForgetfulPin), True, f"simulated pins ({reason})")


def _lgpio_pins(chip: Chip, on_a_pi: bool) -> Pins:
    # lgpio makes a FIFO in its working directory as soon as it is imported, and fails where it cannot.
    if "LG_WD" not in os.environ:
        os.environ["LG_WD"] = _writable_directory()
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory

    class BoardWithoutRevision(LGPIOFactory):  # type: ignore[misc]  # gpiozero is untyped
        def _get_revision(self) -> int:
            return PI_4B_REVISION

    try:
        factory = (LGPIOFactory if on_a_pi else BoardWithoutRevision)(chip=chip.number)
    except (lgpio.error, OSError) as error:
        raise PinsError(f"{chip} does not open ({error}): does another program hold it?") from error
    board = f"Raspberry Pi {factory.board_info.model}" if on_a_pi else "not a Pi, GPIO n is line n"
    return Pins(factory, False, f"GPIO chip {factory.chip} ({board})", chip)


def _writable_directory() -> str:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        directory = os.environ.get(name, "").split(":")[0]
        if directory and os.access(directory, os.W_OK):
            return directory
    return tempfile.mkdtemp(prefix="intercom-lgpio-")
