"""The .deb on a Debian 13 with systemd: installed, upgraded, removed, purged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deb.__main__ import build
from deb.target import target

from .boot import SUITE, Machine, image
from .guest import SHARED, Guest, Result
from .kernel import UnavailableError, ensure, wish

INSTALL_LIMIT_S = 240.0
"""17 s on an idle machine, the most of it to compile."""
SETTINGS = "[call]\nring_time_s = 45\n"
REGISTERED = "for look in $(seq 120); do intercom status >/dev/null && exit; sleep 0.5; done; intercom status; exit 1"
NETWORK = "ip link add home0 type dummy && ip address add 10.77.1.1/24 dev home0 && ip link set home0 up"
"""Calls avoid the loopback interface."""
TRACES = "find / -xdev -iname '*intercom*' -not -path '/run/*' -not -path '/var/log/*' -not -path '/tmp/*' | sort"


@dataclass(frozen=True)
class Door:
    """A machine and what was looked at when it was last changed."""

    machine: Guest
    old: str
    """The older package's file."""
    new: str

    def run(self, script: str) -> Result:
        return self.machine.run(script, limit_s=INSTALL_LIMIT_S)

    def status(self) -> dict[str, Any]:
        doc: dict[str, Any] = json.loads(self.run("intercom status --json").output)
        return doc


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """A machine with what the package depends on, and two versions of the package."""
    try:
        ensure()
        image()
    except UnavailableError as reason:
        if wish() == "on":
            raise
        pytest.skip(str(reason))
    with Machine() as machine:
        machine.run("rm -rf /opt/intercom").check()  # what the other tests run
        machine.run(NETWORK).check()
        to = target(SUITE, "amd64")
        names = [build(to, machine.shared, version=version, compression="none").name for version in ("1", "2")]
        yield Door(machine, *(f"{SHARED}/{name}" for name in names))


@pytest.fixture(scope="module")
def installed(door: Door) -> Door:
    door.run(f"dpkg --install {door.old}").check()
    door.run(REGISTERED).check()
    return door


@pytest.fixture(scope="module")
def upgraded(installed: Door) -> tuple[Door, int, str]:
    """The door after an upgrade, its process before, and its credential before."""
    before = installed.status()["pid"]
    keep = f"printf '{SETTINGS}' >/etc/intercom/intercom.toml; cat /var/lib/intercom/door.json"
    credential = installed.run(keep).check()
    installed.run(f"dpkg --install {installed.new}").check()
    installed.run(REGISTERED).check()
    return installed, before, credential


@pytest.fixture(scope="module")
def removed(upgraded: tuple[Door, int, str]) -> Door:
    door = upgraded[0]
    door.run("dpkg --remove intercom").check()
    return door


@pytest.fixture(scope="module")
def purged(removed: Door) -> Door:
    removed.run("dpkg --purge intercom").check()
    return removed


def test_after_the_installation_the_door_is_registered_and_starts_at_boot(installed: Door) -> None:
    asked = "systemctl is-active intercom intercom-space; systemctl is-enabled intercom intercom-space"
    assert installed.run(asked).output.split() == ["active", "active", "enabled", "enabled"]
    assert installed.status()["registered"]


def test_the_installed_door_makes_a_good_test_call(installed: Door) -> None:
    told = json.loads(installed.run("intercom preflight --seconds 2 --json").output)
    assert told["ok"], told


def test_what_root_looks_after_stays_the_service_s(installed: Door) -> None:
    installed.run("intercom space pair --name Kitchen").check()
    others = "find /var/lib/intercom -not -user intercom"
    assert installed.run(others).check() == ""


def test_nothing_compiles_at_a_start(installed: Door) -> None:
    uncompiled = "cd /opt/intercom/lib/python3.13/site-packages/intercom && ls *.py | wc -l && ls __pycache__ | wc -l"
    sources, compiled = installed.run(uncompiled).check().split()
    assert sources == compiled


def test_the_upgrade_runs_the_new_program_with_the_old_settings_and_state(upgraded: tuple[Door, int, str]) -> None:
    door, before, credential = upgraded
    assert door.run("dpkg-query --show --showformat='${Version}' intercom").output == "2+deb13"
    assert door.status()["pid"] != before
    assert door.run("cat /etc/intercom/intercom.toml").output == SETTINGS
    assert door.run("cat /var/lib/intercom/door.json").output == credential


def test_the_removal_leaves_settings_and_state_alone(removed: Door) -> None:
    assert removed.run("pgrep --full /opt/intercom").output == ""
    left = removed.run(TRACES).check().splitlines()
    ours = [path for path in left if not path.startswith("/var/lib/dpkg/info/")]
    assert ours == ["/etc/intercom", "/etc/intercom/intercom.toml", "/var/lib/intercom"]
    assert removed.run("cat /etc/intercom/intercom.toml").output == SETTINGS


def test_the_purge_leaves_nothing(purged: Door) -> None:
    assert purged.run(TRACES).check() == ""
    assert purged.run("getent passwd intercom; getent group intercom; systemctl --failed --no-legend").output == ""
