"""What the door's machine says of itself: the level of its wireless network, and the program on its disk."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Final

from intercom import __version__

WIRELESS: Final = Path("/proc/net/wireless")
"""Table of the wireless networks' levels (iwconfig(8)); two lines are its head."""
INTERFACES: Final = Path("/sys/class/net")
"""Directory of the network interfaces."""
WEAKEST_DBM: Final = -120
"""Least level that is one: drivers that count otherwise give positive numbers, or -256 for none."""


def is_wireless(interfaces: Path = INTERFACES) -> bool:
    """Return whether the machine has a wireless interface."""
    return any(interfaces.glob("*/phy80211"))


def wifi_dbm(table: Path = WIRELESS) -> int | None:
    """Return the level of the strongest wireless network in use; None without one."""
    try:
        lines = table.read_text().splitlines()[2:]
    except OSError:
        return None
    levels = [level for line in lines if (level := _level(line.split())) is not None]
    return max(levels, default=None)


def _level(columns: list[str]) -> int | None:
    try:
        level = int(float(columns[3]))
    except (IndexError, ValueError):
        return None
    return level if WEAKEST_DBM <= level < 0 else None


def installed_version() -> str:
    """Return the version of the program on the disk, which is newer than the running one after an upgrade."""
    try:
        return metadata.version("intercom")
    except metadata.PackageNotFoundError:
        return __version__
