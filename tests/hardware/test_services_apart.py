"""From inside each service of a booted machine: the other's files, the control socket and the SSH keys are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .station import CREDENTIAL, INTERCOM, SPACE_STATE, STATE, Station, copy_of

KEYS = "/etc/intercom/ssh/authorized_keys"
SETTINGS = "/etc/intercom/intercom.toml"
SSH = (
    "ssh -i /root/{key} -o BatchMode=yes -o StrictHostKeyChecking=no -o IdentitiesOnly=yes -o LogLevel=ERROR"
    " intercom@localhost {words}"
)
WRITES_KEYS = {
    "writes the keys": f"echo x >>{KEYS}",
    "replaces the keys": f"echo x >/etc/intercom/ssh/new && mv /etc/intercom/ssh/new {KEYS}",
    "writes what sshd reads": "echo x >/etc/ssh/sshd_config.d/x.conf",
    "makes a home": "mkdir -p ~intercom/.ssh",
}
SPACE_PROBES = {
    "reads its own books": f"head -c 1 {SPACE_STATE}/space.sqlite3",
    "reads the settings": f"head -c 1 {SETTINGS}",
    "lists the door's state": f"ls {STATE}",
    "reads the door's log of calls": f"head -c 1 {STATE}/calls.db",
    "writes the door's state": f"touch {STATE}/x",
    "reaches the control socket": (
        "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/run/intercom/control.sock\")'"
    ),
    "opens the door": f"{INTERCOM} door open",
    "opens the pins": "head -c 0 </dev/gpiochip0",
    "reads the token": "cat /etc/intercom/token /run/credentials/intercom.service/token",
    "signals the door": "kill -0 $(cat /run/door.pid)",
    **WRITES_KEYS,
}
DOOR_PROBES = {
    "reads its credential": f"head -c 1 {CREDENTIAL}",
    "reads the settings": f"head -c 1 {SETTINGS}",
    "writes its credential": f"echo x >>{CREDENTIAL}",
    "replaces its credential": f"echo x >{SPACE_STATE}/new && mv {SPACE_STATE}/new {CREDENTIAL}",
    "lists the space's state": f"ls {SPACE_STATE}",
    "reads the signing key": f"head -c 1 {SPACE_STATE}/space.sqlite3",
    "reads the key of the certificate": f"head -c 1 {SPACE_STATE}/tls.key",
    "reads whom the space connects": f"head -c 1 {SPACE_STATE}/calls.json",
    "signals the space": "kill -0 $(cat /run/space.pid)",
    **WRITES_KEYS,
}
ONE_USER = f"""
set -e
systemctl stop intercom intercom-space
cd {SPACE_STATE}
mkdir {STATE}/.ssh
mv space.sqlite3 tls.* door.json {STATE}/
grep -v bare {KEYS} >{STATE}/.ssh/authorized_keys
rm -rf {SPACE_STATE} /etc/intercom/two-users {KEYS}
chown -R intercom: {STATE}
systemctl start --no-block intercom-space intercom
"""
"""What an older version leaves, as the new one's first start finds it."""


@pytest.fixture(scope="module")
def station(station_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station(copy_of(station_disk, tmp_path_factory.mktemp("apart"))) as station:
        station.configure('[space]\nlisten = "0.0.0.0:8443"')  # so that the certificate and its key are there
        station.wait_registered()
        station.run(
            "echo secret >/etc/intercom/token; chmod 600 /etc/intercom/token;"
            "systemctl show --value -p MainPID intercom >/run/door.pid;"
            "systemctl show --value -p MainPID intercom-space >/run/space.pid;"
            "for key in anna bare; do ssh-keygen -q -t ed25519 -N '' -C $key -f /root/$key; done;"
            f"{INTERCOM} ssh-key add /root/anna.pub --role viewer; cat /root/bare.pub >>{KEYS}; systemctl start ssh"
        ).check()
        yield station


def test_the_space_cannot_reach_for_the_door(station: Station) -> None:
    assert station.can("intercom-space", SPACE_PROBES) == ["reads its own books", "reads the settings"]


def test_the_door_reads_its_credential_and_nothing_else_of_the_space(station: Station) -> None:
    station.run("systemctl stop intercom").check()
    could = station.can("intercom", DOOR_PROBES)
    station.run("systemctl start intercom").check()
    station.wait_registered()
    assert could == ["reads its credential", "reads the settings"]


def test_nobody_else_reads_the_settings(station: Station) -> None:
    reads = f"setpriv --reuid=nobody --regid=nogroup --clear-groups head -c 1 {SETTINGS}"
    assert station.run(reads).status != 0


def test_a_key_runs_its_role_s_commands_and_sshd_forces_the_gate_on_any_other(station: Station) -> None:
    assert station.run(SSH.format(key="anna", words="status")).check().startswith("Ready")
    for words in ("door open", "id", ""):
        assert station.run(SSH.format(key="bare", words=words)).status == 6


def test_a_key_that_sshd_would_not_look_for_is_told(station: Station) -> None:
    add = f"{INTERCOM} ssh-key add /root/anna.pub --role viewer"
    drop_in = "/etc/ssh/sshd_config.d/intercom.conf"
    assert "sshd does not look there" not in station.run(add).check()
    said = station.run(f"mv {drop_in} /root; {add}; mv /root/intercom.conf {drop_in}").check()
    assert "sshd does not look there" in said


def test_a_key_where_a_service_may_write_lets_nobody_in(station: Station) -> None:
    station.run(
        f"ssh-keygen -q -t ed25519 -N '' -f /root/planted; mkdir -p {STATE}/.ssh;"
        f"cp /root/planted.pub {STATE}/.ssh/authorized_keys; chown -R intercom: {STATE}/.ssh"
    ).check()
    assert station.run(SSH.format(key="planted", words="status")).status == 255
    station.run(f"systemctl restart intercom && rm -r {STATE}/.ssh").check()
    station.wait_registered()
    assert station.run(f"grep -c ssh-ed25519 {KEYS}").output.strip() == "2"


def test_root_s_commands_on_the_space_leave_nothing_that_is_root_s(station: Station) -> None:
    station.run(f"{INTERCOM} space pair --name Kitchen; {INTERCOM} space devices").check()
    station.run(f"cd /root && {INTERCOM} space enrol gate.json --reference gate").check()
    owners = f"find {STATE} -not -user intercom; find {SPACE_STATE} -not -user intercom-space"
    assert station.run(owners).check() == ""


def test_the_doctor_finds_the_credential_that_the_space_hands_over(station: Station) -> None:
    findings = json.loads(station.run(f"{INTERCOM} doctor --json").output)
    assert {finding["what"]: finding["verdict"] for finding in findings}["credential"] == "good"


def test_a_machine_of_one_user_becomes_one_of_two_at_the_next_start_and_the_door_stays_paired(station: Station) -> None:
    paired = f"grep -v certificate {CREDENTIAL}; {INTERCOM} space devices | cut -d' ' -f1"  # the CA is another one
    before = station.run(paired).check()
    station.run(ONE_USER).check()
    station.wait_registered()
    assert station.run(paired).check() == before
    assert station.run(f"ls -A {STATE}/.ssh; ls {STATE}/space.sqlite3").output.count("No such file") == 1
    assert station.run(SSH.format(key="anna", words="status")).check().startswith("Ready")
    assert "was moved to" in station.journal()


def test_an_upgrade_takes_the_home_of_an_older_version_out_of_the_service_s_reach(station: Station) -> None:
    station.run(
        f"sed -i 's|^\\(intercom:.*\\):/:|\\1:{STATE}:|' /etc/passwd; touch --date=yesterday /etc/passwd"
    ).check()
    home = "getent passwd intercom | cut -d: -f6"
    assert station.run(home).check().strip() == STATE
    station.run(". /checkout/systemd/service.sh; make_users").check()
    assert station.run(home).check().strip() == "/"
