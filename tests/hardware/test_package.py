"""The .deb on a Debian 13 with systemd: installed, upgraded, removed, purged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deb.__main__ import build
from deb.target import target
from tests.readme import PACKAGE, RUN_BY, commands

from .boot import SUITE, Machine
from .guest import SHARED, Guest, Result
from .station import CREDENTIAL, SAYS_REGISTERED, TRACES
from .wait import until

INSTALL_LIMIT_S = 600.0
"""17 s on an idle machine, the most of it to compile."""
SETTINGS = "cat /etc/intercom/intercom.toml"
ANSWERS = 'network = true\\nring = "/private/house"\\nbutton = 5\\ntest_call = true\\n'
ENDS_WITH = {
    "intercom watch": {130},  # it is interrupted
    "sudo intercom audio test --store": {0, 1},  # the loopback card has no air between speaker and microphone
}
WAITS = "waiting for its end"
REGISTERED = f"""
for look in $(seq 400); do {SAYS_REGISTERED} && intercom status >/dev/null && exit; sleep 0.5; done
intercom status; exit 1
"""
NETWORK = "ip link add home0 type dummy && ip address add 10.77.1.1/24 dev home0 && ip link set home0 up"
"""Calls avoid the loopback interface."""


@dataclass(frozen=True)
class Door:
    """A machine and what was looked at when it was last changed."""

    machine: Guest
    old: Future[Path]
    """The older package's file."""
    new: Future[Path]

    def run(self, script: str) -> Result:
        return self.machine.run(script, limit_s=INSTALL_LIMIT_S)

    def start_install(self, package: Future[Path]) -> str:
        """Begin to install a package as soon as it is built; the name of what runs."""
        file = package.result()
        shutil.move(file, self.machine.shared)
        return self.machine.start(f"dpkg --install {SHARED / file.name}", limit_s=INSTALL_LIMIT_S)

    def status(self) -> dict[str, Any]:
        doc: dict[str, Any] = json.loads(self.run("intercom status --json").output)
        return doc


@pytest.fixture(scope="module")
def door(whole_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A machine with what the package depends on, and two versions of the package."""
    # The machine has one CPU: the other one builds while it boots, and the newer package while it installs the older.
    with ThreadPoolExecutor(1) as builder:
        folder = tmp_path_factory.mktemp("packages")
        building = [builder.submit(_build, version, folder) for version in ("1", "2")]
        with Machine() as machine:
            machine.run(f"rm -rf /opt/intercom; {NETWORK}").check()  # what the other tests run
            yield Door(machine, *building)


def _build(version: str, folder: Path) -> Path:
    return build(target(SUITE, "amd64"), folder, version=version, compression="none")


@pytest.fixture(scope="module")
def installed(door: Door) -> Door:
    door.machine.result(door.start_install(door.old), limit_s=INSTALL_LIMIT_S).check()
    door.run(REGISTERED).check()
    return door


@pytest.fixture(scope="module")
def set_up(installed: Door) -> tuple[Door, str]:
    """The door after `intercom setup`, and what that said."""
    return installed, installed.run(f"printf '{ANSWERS}' | intercom setup --answers -").check()


@dataclass(frozen=True)
class Upgrade:
    """The settings, the credential and the process before an upgrade and after it."""

    door: Door
    before: dict[str, str]
    after: dict[str, str]
    meanwhile: dict[str, Any]
    """The status once the upgrade had said that it waits for a call."""


@pytest.fixture(scope="module")
def upgrade(set_up: tuple[Door, str]) -> Upgrade:
    """The upgrade of a door that is in a call, which is then hung up."""
    door = set_up[0]
    door.run(REGISTERED).check()
    before = _kept(door)
    door.run("intercom call /public/echo").check()
    upgrading = door.start_install(door.new)
    until(lambda: WAITS in door.machine.output(upgrading), INSTALL_LIMIT_S, "the upgrade waits")
    meanwhile = door.status()
    door.run("intercom hangup").check()
    door.machine.result(upgrading, limit_s=INSTALL_LIMIT_S).check()
    door.run(REGISTERED).check()
    return Upgrade(door, before, _kept(door), meanwhile)


def _kept(door: Door) -> dict[str, str]:
    """The settings, the credential, the process."""
    asked = {"settings": SETTINGS, "credential": f"cat {CREDENTIAL}"}
    return {name: door.run(script).check() for name, script in asked.items()} | {"process": str(door.status()["pid"])}


@pytest.fixture(scope="module")
def removed(upgrade: Upgrade) -> Door:
    door = upgrade.door
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


def test_setup_starts_the_door_as_it_was_answered_and_makes_a_good_test_call(set_up: tuple[Door, str]) -> None:
    door, said = set_up
    assert "The door is registered." in said
    assert "verdict   calls work" in said
    assert 'listen = "0.0.0.0:8443"' in door.run(SETTINGS).output
    assert door.status()["registered"]


def test_every_command_that_the_readme_tells_an_installer_to_type_works(set_up: tuple[Door, str]) -> None:
    door, _ = set_up
    door.run("mkdir -p /tmp/anna && cd /tmp/anna && ssh-keygen -q -t ed25519 -N '' -f anna").check()
    for line in [line for line in commands() if RUN_BY[line] == PACKAGE]:
        door.run(f'case "$(systemctl is-active intercom)" in inactive|failed) exit 0;; esac; {REGISTERED}').check()
        limit_s = 2 if line == "intercom watch" else 120
        ended = door.run(f"cd /tmp/anna; timeout --signal=INT --preserve-status {limit_s} {line}")
        assert ended.status in ENDS_WITH.get(line, {0}), (line, ended.output)


def test_what_root_looks_after_stays_the_service_s(installed: Door) -> None:
    installed.run("intercom space pair --name Kitchen").check()
    others = "find /var/lib/intercom -not -user intercom; find /var/lib/intercom-space -not -user intercom-space"
    assert installed.run(others).check() == ""


def test_nothing_compiles_at_a_start(installed: Door) -> None:
    uncompiled = "cd /opt/intercom/lib/python3.13/site-packages/intercom && ls *.py | wc -l && ls __pycache__ | wc -l"
    sources, compiled = installed.run(uncompiled).check().split()
    assert sources == compiled


def test_the_upgrade_runs_the_new_program_with_the_old_settings_and_state(upgrade: Upgrade) -> None:
    said = upgrade.door.run("dpkg-query --show --showformat='${Version}' intercom").output
    assert said == "2+deb13"
    before, after = dict(upgrade.before), dict(upgrade.after)
    assert before.pop("process") != after.pop("process")
    assert before == after


def test_the_upgrade_waits_for_the_end_of_a_call(upgrade: Upgrade) -> None:
    assert upgrade.meanwhile["call"]["with"] == "/public/echo"
    assert str(upgrade.meanwhile["pid"]) == upgrade.before["process"]


def test_the_removal_leaves_settings_and_state_alone(removed: Door) -> None:
    assert removed.run("pgrep --full /opt/intercom").output == ""
    left = removed.run(TRACES).check().splitlines()
    ours = [path for path in left if not path.startswith("/var/lib/dpkg/info/")]
    assert ours == [
        *("/etc/intercom", "/etc/intercom/intercom.toml"),
        "/etc/ssh/sshd_config.d/intercom.conf",
        *("/var/lib/intercom", "/var/lib/intercom-space"),
    ]
    assert "button_gpio = 5" in removed.run(SETTINGS).output


def test_the_purge_leaves_nothing(purged: Door) -> None:
    assert purged.run(TRACES).check() == ""
    names = "intercom intercom-space"
    left = f"getent passwd {names}; getent group {names}; systemctl --failed --no-legend"
    assert purged.run(left).output == ""
