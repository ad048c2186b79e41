"""GPIO lines that a test moves: a chip of the kernel's `gpio-sim`, and the marks of a Raspberry Pi; inside a guest.

Source: Documentation/admin-guide/gpio/gpio-sim.rst. The program under test opens the chip as it would on a Pi.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

from .wait import until

CONFIGURATION = Path("/sys/kernel/config/gpio-sim")
PI_4B_REVISION = "c03115"
LINES = 28
"""The lines of a Pi's header, GPIO 0 to 27."""


HEADER_LABEL = "pinctrl-bcm2711"


class GpioChip:
    """A simulated GPIO chip whose line N is the Pi's GPIO N; leaving its context takes it away."""

    def __init__(self, name: str = "header", *, label: str = HEADER_LABEL, lines: int = LINES) -> None:
        self._folder = CONFIGURATION / name
        self._label = label
        self._count = lines

    def __enter__(self) -> GpioChip:
        bank = self._folder / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(self._count))
        (bank / "label").write_text(self._label)
        (self._folder / "live").write_text("1")
        device = (self._folder / "dev_name").read_text().strip()
        self.name = (bank / "chip_name").read_text().strip()
        self._lines = Path("/sys/devices/platform") / device / self.name
        until(Path("/dev", self.name).exists, 30.0, f"/dev/{self.name} appears")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self._folder / "live").write_text("0")
        (self._folder / "bank0").rmdir()
        self._folder.rmdir()

    def drive(self, line: int, *, high: bool) -> None:
        """Set the level that an input line sees."""
        (self._lines / f"sim_gpio{line}" / "pull").write_text("pull-up" if high else "pull-down")

    def press(self, line: int) -> None:
        """Close a button that is wired from the line to ground."""
        self.drive(line, high=False)

    def release(self, line: int) -> None:
        """Open that button again: the pull-up lifts the line."""
        self.drive(line, high=True)

    def is_high(self, line: int) -> bool:
        """Return the level of a line, such as an output that a light or the relay hangs on."""
        return (self._lines / f"sim_gpio{line}" / "value").read_text().strip() == "1"


def pose_as_pi(folder: Path, revision: str = PI_4B_REVISION) -> None:
    """Give the guest the /proc/cpuinfo of a Raspberry Pi: gpiozero reads the pins' layout from its revision."""
    cpuinfo = folder / "cpuinfo"
    cpuinfo.write_text(f"{Path('/proc/cpuinfo').read_text()}\nRevision\t: {revision}\n")
    subprocess.run(["mount", "--bind", str(cpuinfo), "/proc/cpuinfo"], check=True)


def pose_as_itself() -> None:
    """Undo `pose_as_pi`."""
    subprocess.run(["umount", "/proc/cpuinfo"], check=True)
