"""Where the pins come from: the Raspberry Pi's header, or gpiozero's own simulated pins."""

import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intercom.panel.errors import PinsError

INSTALL_LGPIO = (
    "install it with `sudo apt install python3-lgpio` (a virtual environment then needs --system-site-packages) "
    'or `pip install "intercom[gpio]"`'
)

PI_4B_REVISION = 0xC03111
"""The header's layout that a board without a Raspberry Pi revision is taken to have: GPIO n is line n."""


@dataclass(frozen=True, slots=True)
class Pins:
    """A source of pins."""

    factory: Any
    """The gpiozero pin factory; pass it to each device."""
    simulated: bool
    """No hardware underneath: the panel page presses the button."""
    description: str
    """One line for people."""


def open_pins(choice: str, *, root: Path = Path("/")) -> Pins:
    """Return the pins that `choice` ("auto", "gpio", "simulated") asks for.

    "auto" is "gpio" on a Raspberry Pi and "simulated" elsewhere: another computer's GPIO chip may hold its own fans
    and power. `root` is where /proc and /dev are looked for.

    Raises PinsError, with what to install or change.
    """
    if choice == "simulated":
        return simulated_pins("as configured")
    is_pi = _is_pi(root)
    if choice == "auto" and not is_pi:
        return simulated_pins("this is no Raspberry Pi")
    if not any((root / "dev").glob("gpiochip*")):
        raise PinsError(
            "No GPIO here: there is no /dev/gpiochip*. Run on a Raspberry Pi, or set panel.pins to "
            '"simulated" (or "auto").'
        )
    if importlib.util.find_spec("lgpio") is None:
        raise PinsError(f'GPIO needs lgpio: {INSTALL_LGPIO}. Or set panel.pins to "simulated".')
    return _lgpio_pins(is_pi)


def simulated_pins(reason: str = "as asked") -> Pins:
    """Return gpiozero's mock pins, with PWM."""
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    return Pins(MockFactory(pin_class=MockPWMPin), True, f"simulated pins ({reason})")


def _is_pi(root: Path) -> bool:
    if (root / "proc/device-tree/system/linux,revision").exists():
        return True
    try:
        return "\nRevision" in (root / "proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return False


def _lgpio_pins(is_pi: bool) -> Pins:
    # lgpio makes a FIFO in its working directory as soon as it is imported, and fails where it cannot.
    if "LG_WD" not in os.environ:
        os.environ["LG_WD"] = _writable_directory()
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory

    class BoardWithoutRevision(LGPIOFactory):  # type: ignore[misc]  # gpiozero is untyped
        def _get_revision(self) -> int:
            return PI_4B_REVISION

    try:
        factory = LGPIOFactory() if is_pi else BoardWithoutRevision()
    except (lgpio.error, OSError) as error:
        raise PinsError(
            f"The GPIO chip does not open ({error}): is this user in the group gpio "
            "(`sudo usermod -aG gpio $USER`, then log in again)?"
        ) from error
    board = f"Raspberry Pi {factory.board_info.model}" if is_pi else "not a Pi, GPIO n is line n"
    return Pins(factory, False, f"GPIO chip {factory.chip} ({board})")


def _writable_directory() -> str:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        directory = os.environ.get(name, "").split(":")[0]
        if directory and os.access(directory, os.W_OK):
            return directory
    return tempfile.mkdtemp(prefix="intercom-lgpio-")
