"""Find the header among the kernel's GPIO chips, and drive one of its lines off through the kernel's own interface.

Imports next to nothing: what locks the door after a crash must not wait for gpiozero.
Source: Linux' include/uapi/linux/gpio.h (version 2 of the interface).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time

HEADER_LABELS = ("pinctrl-rp", "pinctrl-bcm")
"""Beginnings of the header chip's label: the Pi 5's RP1 first, then the BCM2xxx of all other Raspberry Pis."""

PATIENCE_S = 1.5
"""Time limit for retries while another process holds the line: a killed process gives it back sooner, and systemd
ends a `door-off` that takes 5 s in all."""

RETRY_S = 0.05

_GET_CHIP = 0x8044B401
_GET_LINE_INFO = 0xC100B405
_GET_LINE = 0xC250B407
_SET_CONFIG = 0xC110B40D
_CHIP = struct.Struct("=32s32sI")
_LINE_INFO = struct.Struct("=32s32sII 8x 160x16x")
_CONFIG = struct.Struct("=QI20x IIQQ 216x")
"""Layout of the flags, the number of attributes, and one attribute: kind, padding, value and the mask of its lines."""
_REQUEST = struct.Struct("=I252x 32s 272s II20x i")
_INPUT, _OUTPUT, _PULL_UP, _PULL_DOWN = 1 << 2, 1 << 3, 1 << 8, 1 << 9
_OUTPUT_VALUES = 2


class GpioError(OSError):
    """A GPIO chip or line is not available; the message says which, and what to do."""


class Chip:
    """A GPIO chip of this machine."""

    def __init__(self, path: str, label: str, lines: int) -> None:
        self.path = path
        self.label = label
        self.lines = lines
        """number of the chip's lines"""

    @property
    def number(self) -> int:
        """The chip's number, as gpiozero and lgpio count."""
        return int(self.path.rpartition("gpiochip")[2])

    def __str__(self) -> str:
        return f"gpiochip{self.number} ({self.label}, {self.lines} lines)"

    def user_of(self, gpio: int) -> str | None:
        """Return the name of the process that holds a line; None when the line is free."""
        with _Opened(self.path) as chip:
            buffer = bytearray(_LINE_INFO.pack(b"", b"", gpio, 0))
            fcntl.ioctl(chip, _GET_LINE_INFO, buffer)
        _, user, *_ = _LINE_INFO.unpack(buffer)
        in_use = buffer[72] & 1
        return (_text(user) or "the kernel") if in_use else None


class _Opened:
    """Opens a file descriptor for the length of a block."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def is_pi(root: str = "/") -> bool:
    """Return whether this machine is a Raspberry Pi."""
    if os.path.exists(os.path.join(root, "proc/device-tree/system/linux,revision")):
        return True
    try:
        with open(os.path.join(root, "proc/cpuinfo"), errors="replace") as file:
            return "\nRevision" in file.read()
    except OSError:
        return False


def header_chip(root: str = "/") -> Chip:
    """Return the header's chip: found by its label, as its number depends on the machine's other hardware.

    A board that is no Raspberry Pi, and has no chip with such a label, is taken to have its lines on the first chip.
    Raises GpioError.
    """
    chips, refusal = _chips(root)
    for label in HEADER_LABELS:
        for chip in chips:
            if chip.label.startswith(label):
                return chip
    if refusal is not None:
        raise GpioError(
            f"The GPIO chip does not open ({refusal}): is this user in the group gpio "
            "(`sudo usermod -aG gpio $USER`, then log in again)?"
        ) from refusal
    if not chips:
        raise GpioError(
            "No GPIO here: there is no /dev/gpiochip*. Run on a Raspberry Pi, or set panel.pins to "
            '"simulated" (or "auto").'
        )
    if is_pi(root):
        raise GpioError(
            f"No GPIO chip here is a Raspberry Pi's header (there is {', '.join(map(str, chips))}): is its driver, "
            "pinctrl-bcm2835 or pinctrl-rp1, loaded?"
        )
    return chips[0]


def drive_off(gpio: int, active_high: bool, name: str = "door") -> str:
    """Turn a relay off from a process that does not own the panel, and return the steps taken, in words.

    `name` says what it drives. The line is given back as an input, pulled to off: one that floats may turn a relay on.
    Raises GpioError.
    """
    chip = header_chip()
    if gpio >= chip.lines:
        raise GpioError(f"GPIO {gpio} (the {name}'s relay) is not on {chip}: choose another one.")
    with _Opened(chip.path) as descriptor:
        off = _CONFIG.pack(_OUTPUT, 1, _OUTPUT_VALUES, 0, 0 if active_high else 1, 1)
        request = bytearray(_REQUEST.pack(gpio, b"intercom door-off", off, 1, 0, 0))
        _ask_until_free(descriptor, request, chip, gpio, name)
        line = _REQUEST.unpack(request)[-1]
    try:
        pulled = _INPUT | (_PULL_DOWN if active_high else _PULL_UP)
        fcntl.ioctl(line, _SET_CONFIG, bytearray(_CONFIG.pack(pulled, 0, 0, 0, 0, 0)))
    except OSError as error:
        # A chip without pulls (ENOTSUPP has no name in Python): the line was off, and is as the chip leaves it.
        if error.errno not in (errno.EOPNOTSUPP, 524):
            raise
    finally:
        os.close(line)
    return f"The {name}'s relay (GPIO {gpio}) is off."


def _ask_until_free(descriptor: int, request: bytearray, chip: Chip, gpio: int, name: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.ioctl(descriptor, _GET_LINE, request)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise GpioError(f"GPIO {gpio} (the {name}'s relay) on {chip} cannot be driven: {error}.") from error
            if time.monotonic() >= give_up_at:
                raise GpioError(
                    f"GPIO {gpio} (the {name}'s relay) does not become free: stop the program that holds it "
                    f"({chip.user_of(gpio)}, says the kernel)."
                ) from error
            time.sleep(RETRY_S)
        else:
            return


def _chips(root: str) -> tuple[list[Chip], OSError | None]:
    """Return the chips in the order of their numbers, and the error of one that does not open."""
    folder = os.path.join(root, "dev")
    chips: list[Chip] = []
    refusal = None
    try:
        names = [name for name in os.listdir(folder) if name.startswith("gpiochip") and name[8:].isdigit()]
    except OSError:
        names = []
    for name in sorted(names, key=lambda name: int(name[8:])):
        path = os.path.join(folder, name)
        try:
            with _Opened(path) as descriptor:
                info = bytearray(_CHIP.size)
                fcntl.ioctl(descriptor, _GET_CHIP, info)
        except OSError as error:
            refusal = error
            continue
        _, label, lines = _CHIP.unpack(info)
        chips.append(Chip(path, _text(label), lines))
    return chips, refusal


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode(errors="replace")
