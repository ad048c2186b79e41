"""`intercom door-off`: locks the door, and silences the chime, after a crash, with as little as Python can start with.

systemd runs it whenever the service has ended (ExecStopPost), whatever it died of and whatever its configuration holds.
"""

from __future__ import annotations

import os
import sys
import tomllib
from typing import TYPE_CHECKING, TypeGuard

from intercom.gpio_chip import GpioError, drive_off, is_pi

if TYPE_CHECKING:
    import argparse

SYSTEM_CONFIG = "/etc/intercom/intercom.toml"
OK, FAILED = 0, 1
STDERR = 2
RELAY_GPIO, RELAY_ACTIVE_HIGH, PINS, GPIO_HIGHEST = 24, True, "auto", 27
"""Defaults of `door.relay_gpio`, of `door.relay_active_high` and `panel.chime_active_high`, and of `panel.pins`, whose
own module takes long to load."""


def run(config: str | None) -> int:
    """Turn off the relays that the file `config` (None = the system's) names; return the command's exit status."""
    pins, relays = _relays(config or SYSTEM_CONFIG)
    if pins == "simulated" or (pins == "auto" and not is_pi()):
        print("Nothing to turn off: the pins are simulated.")
        return OK
    status = OK
    for name, gpio, active_high in relays:
        try:
            print(drive_off(gpio, active_high, name))
        except OSError as error:
            _complain(str(error) if isinstance(error, GpioError) else f"GPIO {gpio} (the {name}'s relay): {error}")
            status = FAILED
    return status


def command(options: argparse.Namespace) -> int:
    """Run `intercom door-off` with options that the parser has read."""
    return run(options.config and str(options.config))


def _relays(path: str) -> tuple[str, list[tuple[str, int, bool]]]:
    """Return the pins' kind, and of each relay its name, its GPIO and whether high turns it on, the door's first.

    What the file does not say has its default.
    """
    tables: dict[str, object] = {}
    try:
        with open(path, encoding="utf-8-sig") as file:
            tables = tomllib.loads(file.read())
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError) as error:
        _complain(f"{path} cannot be read ({error}); driving GPIO {RELAY_GPIO} off all the same")
    door, panel = tables.get("door"), tables.get("panel")
    door = door if isinstance(door, dict) else {}
    panel = panel if isinstance(panel, dict) else {}
    pins, gpio, chime = panel.get("pins"), door.get("relay_gpio"), panel.get("chime_gpio")
    relays = [("door", gpio if _is_gpio(gpio) else RELAY_GPIO, door.get("relay_active_high"))]
    if _is_gpio(chime):
        relays.append(("chime", chime, panel.get("chime_active_high")))
    return (
        pins if pins in ("gpio", "simulated") else PINS,
        [(name, number, high if isinstance(high, bool) else RELAY_ACTIVE_HIGH) for name, number, high in relays],
    )


def _is_gpio(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= GPIO_HIGHEST


def _complain(sentence: str) -> None:
    # As intercom.service.journald has it, which takes long to load: "<3>" makes the line an error in systemd's journal.
    mark = "<3>" if "JOURNAL_STREAM" in os.environ and _is_journal() else ""
    sys.stderr.write(f"{mark}intercom: {sentence}\n")


def _is_journal() -> bool:
    about = os.fstat(STDERR)
    return os.environ["JOURNAL_STREAM"] == f"{about.st_dev}:{about.st_ino}"
