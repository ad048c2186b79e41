"""A machine with the door station installed on its disk: it starts at boot, by itself.

`installed(folder)` makes that disk with what `make install` lays there; `Station(disk)` boots it, or a copy. Its pins
are a chip of `gpio-sim`; its card is `snd_aloop`, which `LATE_CARD` keeps away until a test plugs it in.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .boot import Machine
from .guest import CHECKOUT

LATE_CARD = "late_card"
STATE_DISK = "state_disk"
"""Kernel arguments that the bench's own units look for."""
INTERCOM = "/opt/intercom/bin/intercom"
STATE = "/var/lib/intercom"
WHEEL_LIMIT_S = 180.0
REGISTERED_LIMIT_S = 60.0
"""A start takes 3 s on an idle machine."""
CONFIGURATION = """
[audio]
card = "plughw:CARD=Loopback,DEV=0"
[panel]
pins = "gpio"
[camera]
source = "off"
[door]
pulse_s = 7
"""
UNITS = {
    # As the firmware has it before anything starts.
    "bench-pins.service": """[Unit]
Before=intercom.service
[Service]
Type=oneshot
ExecStart=/bin/sh -e -c 'header=/sys/kernel/config/gpio-sim/header; mkdir -p $header/bank0; cd $header; \\
  echo 28 >bank0/num_lines; echo pinctrl-bcm2711 >bank0/label; echo 1 >live; udevadm settle'
[Install]
WantedBy=multi-user.target
""",
    "bench-late-card.service": f"""[Unit]
ConditionKernelCommandLine={LATE_CARD}
Before=intercom.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'udevadm settle; echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind'
[Install]
WantedBy=multi-user.target
""",
    # No mount unit: that would wait for the disk also where there is none.
    "bench-state-disk.service": f"""[Unit]
ConditionKernelCommandLine={STATE_DISK}
Before=intercom-space.service intercom.service
[Service]
Type=oneshot
ExecStart=mount /dev/ubdb {STATE}
[Install]
WantedBy=multi-user.target
""",
}
INSTALL = f"""
set -e
/opt/intercom/bin/pip install --quiet --no-index --no-deps /run/shared/*.whl
sh /checkout/systemd/files.sh
. /checkout/systemd/service.sh
make_user
install -m 644 /run/shared/bench-units/* /etc/systemd/system/
install -m 644 /run/shared/intercom.toml /etc/intercom/intercom.toml
systemctl daemon-reload
systemctl enable intercom-space intercom {" ".join(UNITS)}
"""


class Station(Machine):
    """A running machine with the door station on it."""

    def configure(self, more: str, *, start: bool = True) -> None:
        """Write the configuration and, where asked, let both units take it."""
        (self.shared / "intercom.toml").write_text(f"{more}\n{CONFIGURATION}")
        self.run("install -m 644 /run/shared/intercom.toml /etc/intercom/intercom.toml").check()
        if start:
            self.run("systemctl restart --no-block intercom-space intercom").check()

    def status(self) -> dict[str, Any]:
        """The status document, also of a service that is down or hangs."""
        document: dict[str, Any] = json.loads(self.run(f"{INTERCOM} status --json").output)
        return document

    def wait(self, condition: str, limit_s: float, what: str) -> float:
        """Wait until a shell condition holds; seconds that it took."""
        began = time.monotonic()
        done = self.run(f"until {condition}; do sleep 0.1; done", limit_s=limit_s)
        assert done.status == 0, f"not within {limit_s:g} s: {what}\n{done.output}\n{self.journal()}"
        return time.monotonic() - began

    def wait_registered(self, limit_s: float = REGISTERED_LIMIT_S) -> float:
        """Wait until calls reach the door; seconds that it took."""
        return self.wait(f"{INTERCOM} status --json | grep -q '\"registered\": true'", limit_s, "registered")

    def show(self, name: str, unit: str = "intercom") -> str:
        """A property of a unit."""
        return self.run(f"systemctl show --value --property={name} {unit}").check().strip()

    def journal(self, *options: str) -> str:
        """What both units have logged in this boot."""
        return self.run(f"journalctl --no-pager -o cat -u intercom -u intercom-space {' '.join(options)}").output


def installed(folder: Path) -> Path:
    """Make a disk with the door station on it; the file holds only what differs from the image."""
    disk = folder / "installed"
    wheel = _wheel(folder)
    with Machine(disk) as machine:
        shutil.copy(wheel, machine.shared)
        (machine.shared / "bench-units").mkdir()
        for name, text in UNITS.items():
            (machine.shared / "bench-units" / name).write_text(text)
        (machine.shared / "intercom.toml").write_text(CONFIGURATION)
        machine.run(INSTALL, limit_s=120).check()
    return disk


def copy_of(disk: Path, folder: Path) -> Path:
    """A disk that another machine may write."""
    copy = folder / "disk"
    subprocess.run(["cp", "--sparse=always", disk, copy], check=True)
    return copy


def _has_build_backend() -> bool:
    """Whether setuptools is there, and new enough for pyproject.toml: a new environment's own may be older."""
    try:
        return int(importlib.metadata.version("setuptools").partition(".")[0]) >= 69
    except importlib.metadata.PackageNotFoundError:
        return False


def _wheel(folder: Path) -> Path:
    """Build the package's wheel from a copy: setuptools leaves its traces where it works."""
    source = folder / "source"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "intercom", source / "intercom", ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    # Where the build backend is there already, no network is needed.
    here = ["--no-build-isolation"] if _has_build_backend() else []
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *here, "-w", folder / "wheel", source]
    subprocess.run(command, check=True, capture_output=True, timeout=WHEEL_LIMIT_S)
    (wheel,) = (folder / "wheel").glob("*.whl")
    return wheel
