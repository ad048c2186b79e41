"""A machine with the door station installed on its disk: it starts at boot, by itself.

`installed(folder)` makes that disk by `make install`; `Station(disk)` boots it, or a copy. Its pins
are a chip of `gpio-sim`; its card is `snd_aloop`, which `LATE_CARD` keeps away until a test plugs it in.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from .boot import Machine
from .guest import PRIORITY_BESIDE

LATE_CARD = "late_card"
STATE_DISK = "state_disk"
"""Kernel arguments that the bench's own units look for."""
INTERCOM = "/opt/intercom/bin/intercom"
STATE = "/var/lib/intercom"
SPACE_STATE = "/var/lib/intercom-space"
CREDENTIAL = f"{SPACE_STATE}/door.json"
INSTALL_LIMIT_S = 600.0
"""35 s on an idle machine."""
WAIT_LIMIT_S = 120.0
"""Time limit of whatever the services do; the longest is a start, which takes 3 s on an idle machine."""
TRACES = "find / -xdev -iname '*intercom*' -not -path '/run/*' -not -path '/var/log/*' -not -path '/tmp/*' | sort"
"""What an installation left on a machine."""
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
LOOK_AGAIN_S = 0.5
"""A look costs a guest a good part of that, of the one processor that the services have as well."""
SAYS_REGISTERED = "systemctl show --value --property=StatusText intercom | grep -q '; registered'"
"""What costs a guest a tenth of the door's own answer, which is asked for then: a wait leaves it the processor."""
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
# One disk for what both services keep. What was written to it as one directory goes to whose it is.
ExecStart=/bin/sh -e -c 'mount /dev/ubdb {STATE}; cd {STATE}; mkdir -p space; \\
  for file in space.sqlite3 space.sqlite3-journal calls.json tls.crt tls.key door.json; do \\
    test ! -e $$file || mv $$file space/; done; \\
  chown -R intercom-space: space; mount --bind space {SPACE_STATE}'
[Install]
WantedBy=multi-user.target
""",
}
INSTALL = f"""
set -e
# There is no network here: make comes from this machine, and a missing package is not waited for.
install /run/shared/make /usr/local/bin/
printf '[global]\nno-index = true\n' >/etc/pip.conf
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
echo "127.0.0.1 $(hostname)" >>/etc/hosts
(cd /checkout && sudo make install)
systemctl is-active intercom-space intercom
systemctl stop intercom-space intercom
find {STATE} {SPACE_STATE} -mindepth 1 -delete
install -m 644 /run/shared/bench-units/* /etc/systemd/system/
install -m 644 /run/shared/intercom.toml /etc/intercom/intercom.toml
systemctl daemon-reload
systemctl enable {" ".join(UNITS)}
"""
TWINS = """
set -e
cd /checkout
plug() {  # NAME: a headset without a serial number in the first free socket, until /run/NAME.out is there
  cards=$(grep -c USB-Audio /proc/asound/cards || true)
  (echo plug; until [ -e "/run/$1.out" ]; do sleep 0.05; done) |
    python3 -B -m tests.hardware.vhci "--name=Bench $1" --serial= >/dev/null 2>&1 &
  until [ "$(grep -c USB-Audio /proc/asound/cards)" = $((cards + 1)) ]; do sleep 0.05; done
}
"""
"""Headsets are plugged in by a shell."""
PIN = f"{TWINS} plug Twin; plug Twin; udevadm settle; {INTERCOM} devices pin --write"
"""Two equal cards are plugged in, and their sockets get names."""
SWAP = f"""{TWINS}
plug Filler; plug Twin
touch /run/Filler.out; while grep -q Filler /proc/asound/cards; do :; done
plug Twin
"""
"""The same two, each in its socket again, found in the other order."""


class Station(Machine):
    """A running machine with the door station on it."""

    def configure(self, more: str, *, start: bool = True) -> None:
        """Write the configuration and, where asked, let both units take it."""
        (self.shared / "intercom.toml").write_text(f"{more}\n{CONFIGURATION}")
        self.run("install -m 640 -g intercom-space /run/shared/intercom.toml /etc/intercom/intercom.toml").check()
        if start:
            self.run("systemctl restart --no-block intercom-space intercom").check()

    def status(self) -> dict[str, Any]:
        """The status document, also of a service that is down or hangs."""
        document: dict[str, Any] = json.loads(self.run(f"{INTERCOM} status --json").output)
        return document

    def wait(self, condition: str, what: str) -> float:
        """Wait until a shell condition holds; seconds that it took."""
        began = time.monotonic()
        done = self.run(f"until {condition}; do sleep {LOOK_AGAIN_S}; done", limit_s=WAIT_LIMIT_S)
        assert done.status == 0, f"not within {WAIT_LIMIT_S:g} s: {what}\n{done.output}\n{self.journal()}"
        return time.monotonic() - began

    def wait_registered(self) -> float:
        """Wait until calls reach the door; seconds that it took."""
        answers = f"{INTERCOM} status --json | grep -q '\"registered\": true'"
        return self.wait(f"{SAYS_REGISTERED} && {answers}", "registered")

    def show(self, name: str, unit: str = "intercom") -> str:
        """A property of a unit."""
        return self.run(f"systemctl show --value --property={name} {unit}").check().strip()

    def can(self, unit: str, probes: dict[str, str]) -> list[str]:
        """The names of those shell commands that succeed inside a unit: all of it as it is, but another program."""
        script = "".join(
            f"if {{ {command}; }} >/dev/null 2>&1; then echo '{name}'; fi\n" for name, command in probes.items()
        )
        (self.shared / "probe").write_text(script)
        edits = (
            r"/^\(ExecStopPost\|ExecStartPre\|Restart\|Watchdog\|StartLimit\)/d",
            "s|^Type=.*|Type=oneshot|",
            "s|^ExecStart=.*|ExecStart=/bin/bash /usr/local/bin/probe|",
            "s|^UMask=|StandardOutput=truncate:/run/probed\\nUMask=|",
        )
        edit = " ".join(f"-e '{one}'" for one in edits)
        self.run(
            "install -m 755 /run/shared/probe /usr/local/bin/probe;"
            f"sed {edit} /usr/lib/systemd/system/{unit}.service >/run/systemd/system/probe.service;"
            "systemctl daemon-reload"
        ).check()
        self.run("systemctl start probe")  # a probe may end it
        said = self.run("cat /run/probed").check().splitlines()
        return [name for name in probes if name in said]

    def now(self) -> str:
        """The option of `journal` for what is logged from now on."""
        return f"--since=@{self.run('date +%s').check().strip()}"

    def journal(self, *options: str) -> str:
        """What both units have logged in this boot."""
        return self.run(f"journalctl --no-pager -o cat -u intercom -u intercom-space {' '.join(options)}").output


def installed(folder: Path) -> Path:
    """Make a disk on which `make install` was run, and two equal cards were pinned; other guests go before.

    The file holds only what differs from the image.
    """
    disk = folder / "installed"
    with Machine(disk, priority=PRIORITY_BESIDE) as machine:
        shutil.copy(str(shutil.which("make")), machine.shared)
        (machine.shared / "bench-units").mkdir()
        for name, text in UNITS.items():
            (machine.shared / "bench-units" / name).write_text(text)
        (machine.shared / "intercom.toml").write_text(CONFIGURATION)
        machine.run(INSTALL, limit_s=INSTALL_LIMIT_S).check()
        machine.run(PIN).check()
    return disk


def copy_of(disk: Path, folder: Path) -> Path:
    """A disk that another machine may write."""
    copy = folder / "disk"
    subprocess.run(["cp", "--sparse=always", disk, copy], check=True)
    return copy
