"""A space that was taken over goes for the door, a door that was taken over for the space, and both for SSH.

What needs a boot with both services is in tests/hardware/test_services_apart.py.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from intercom.config import Config, SpaceConfig
from intercom.control import ssh_keys
from intercom.control.ssh_keys import AuthorizedKeys, read_key_file
from intercom.service import run_as_service, state_move
from intercom.space import Space
from tests.control.test_ssh_keys import make_key
from tests.ports import free_port

SYSTEMD = Path(__file__).parents[2] / "systemd"
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "sshd"
WAIT_S = 60.0
NOBODY = 65534
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


def settings_of(unit: str) -> dict[str, str]:
    lines = (SYSTEMD / unit).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]\w+=", line))


# -- the units ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["User", "StateDirectory"])
def test_the_services_have_no_user_and_no_directory_in_common(place: str) -> None:
    assert settings_of("intercom.service")[place] != settings_of("intercom-space.service")[place]


def test_the_space_is_in_no_group_of_the_door() -> None:
    members = re.findall(r"^m (\S+) (\S+)", (SYSTEMD / "intercom.sysusers.conf").read_text(), re.MULTILINE)
    assert [group for user, group in members if user == "intercom-space"] == []


def test_no_home_is_a_directory_that_a_service_writes() -> None:
    users = re.findall(r'^u \S+ \S+ "[^"]+" (\S+)', (SYSTEMD / "intercom.sysusers.conf").read_text(), re.MULTILINE)
    assert users == ["/", "/"]


# -- what is handed over -------------------------------------------------------------------------------------


def test_of_all_that_the_space_keeps_its_group_reads_the_credential_alone(tmp_path: Path) -> None:
    config = SpaceConfig(listen="0.0.0.0:0")  # so that there is a certificate and its key
    space = Space(config, tmp_path)
    try:
        space.write_credential("door", tmp_path / "door.json", for_group=True)
    finally:
        space.store.close()
    kept = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir() if file.is_file()}
    assert kept.pop("door.json") == 0o640
    assert "tls.key" in kept
    assert set(kept.values()) == {0o600}


def test_the_door_finds_what_the_space_hands_over_and_prefers_its_own(tmp_path: Path) -> None:
    environ = {"INTERCOM_SPACE_STATE": str(tmp_path / "space")}
    assert Config().credential_path(tmp_path, environ) == tmp_path / "space" / "door.json"
    (tmp_path / "door.json").touch()
    assert Config().credential_path(tmp_path, environ) == tmp_path / "door.json"


# -- the move from one user to two -----------------------------------------------------------------------------


@dataclass
class Machine:
    """The places of an installed door, in a folder; the door's user and the space's are this one, or nobody."""

    root: Path
    state: Path = field(init=False)
    space: Path = field(init=False)
    keys: Path = field(init=False)

    def __post_init__(self) -> None:
        self.state, self.space, self.keys = self.root / "door", self.root / "space", self.root / "etc/ssh/authorized"
        self.state.mkdir()
        self.keys.parent.mkdir(parents=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    for module, name, value in (
        (state_move, "STATE", machine.state),
        (state_move, "SPACE_STATE", machine.space),
        (state_move, "SETTINGS", tmp_path / "etc"),
        (state_move, "MOVED", tmp_path / "etc/two-users"),
        (state_move, "DOOR_USER", getpass.getuser()),
        (state_move, "SPACE_USER", "nobody" if os.geteuid() == 0 else getpass.getuser()),
        (state_move, "INSTALLED", machine.keys),
        (ssh_keys, "INSTALLED", machine.keys),
    ):
        monkeypatch.setattr(module, name, value)
    return machine


def write_old_state(machine: Machine) -> None:
    for name in state_move.SPACE_FILES[:-1]:
        (machine.state / name).write_text(name)
    (machine.state / "door.json").write_text("door.json")
    (machine.state / "calls.db").write_text("the door's")


def test_an_older_state_is_moved_whole_and_what_is_the_door_s_stays(machine: Machine) -> None:
    write_old_state(machine)
    assert state_move.main() == 0
    assert {file.name: file.read_text() for file in machine.space.iterdir()} == {
        name: name for name in state_move.SPACE_FILES
    }
    assert [file.name for file in machine.state.iterdir()] == ["calls.db"]


@ROOT_ONLY
def test_what_was_moved_is_the_space_s_and_the_group_reads_the_credential_alone(machine: Machine) -> None:
    write_old_state(machine)
    state_move.main()
    moved = {file.name: stat.S_IMODE(file.stat().st_mode) for file in machine.space.iterdir()}
    assert moved.pop("door.json") == 0o640
    assert set(moved.values()) == {0o600}
    assert stat.S_IMODE(machine.space.stat().st_mode) == 0o710
    assert {path.stat().st_uid for path in (machine.space, *machine.space.iterdir())} == {NOBODY}


def test_the_directory_that_systemd_has_made_is_no_obstacle(machine: Machine) -> None:
    write_old_state(machine)
    machine.space.mkdir()
    state_move.main()
    assert (machine.space / "space.sqlite3").exists()


def test_a_power_cut_before_the_old_files_went_is_mended_by_the_next_start(machine: Machine) -> None:
    write_old_state(machine)
    state_move.main()
    state_move.MOVED.unlink()
    write_old_state(machine)
    (machine.state / "space.sqlite3").write_text("older")
    state_move.main()
    assert (machine.space / "space.sqlite3").read_text() == "space.sqlite3"
    assert [file.name for file in machine.state.iterdir()] == ["calls.db"]


def test_a_link_in_the_door_s_directory_is_not_followed(machine: Machine) -> None:
    victim = machine.root / "shadow"
    victim.write_text("root's")
    write_old_state(machine)
    (machine.state / "tls.key").unlink()
    (machine.state / "tls.key").symlink_to(victim)
    state_move.main()
    assert "tls.key" not in {file.name for file in machine.space.iterdir()}
    assert victim.read_text() == "root's"


def test_a_hard_link_in_the_door_s_directory_is_not_taken(machine: Machine) -> None:
    victim = machine.root / "shadow"
    victim.write_text("root's")
    write_old_state(machine)
    (machine.state / "tls.key").unlink()
    (machine.state / "tls.key").hardlink_to(victim)
    state_move.main()
    assert not (machine.space / "tls.key").exists()


def old_keys(machine: Machine, tmp_path: Path, *others: str) -> None:
    file = machine.state / ".ssh" / "authorized_keys"
    AuthorizedKeys(file).add(read_key_file(make_key(tmp_path / "anna", comment="anna")), "viewer", program="/bin/x")
    file.write_text(file.read_text() + "".join(f"{line}\n" for line in others))


def test_the_keys_move_and_a_line_that_gives_more_than_a_role_does_not(machine: Machine, tmp_path: Path) -> None:
    old_keys(machine, tmp_path, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEVWSUw evil")
    state_move.main()
    assert [entry.key.name for entry in AuthorizedKeys(machine.keys).installed()] == ["anna"]
    assert "evil" not in machine.keys.read_text()
    assert not (machine.state / ".ssh" / "authorized_keys").exists()


@ROOT_ONLY
def test_the_secret_of_somebody_else_s_turn_server_goes_to_the_space(machine: Machine) -> None:
    secret = machine.root / "turn-secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    settings = f'[space]\nturn_url = "turn:turn.example.com:3478"\nturn_secret_file = "{secret}"\n'
    (machine.root / "etc/intercom.toml").write_text(settings)
    state_move.main()
    assert secret.stat().st_uid == NOBODY


def test_what_a_service_lays_down_later_is_never_taken_for_an_older_state(machine: Machine, tmp_path: Path) -> None:
    state_move.main()
    write_old_state(machine)
    old_keys(machine, tmp_path)
    state_move.main()
    assert not machine.space.exists()
    assert not machine.keys.exists()


# -- SSH -----------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """A real sshd with the door's drop-in, whose user is this one and whose keys lie in a folder."""

    folder: Path
    port: int

    def run(self, key: str, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *("ssh", "-F", "none", "-p", str(self.port), "-i", str(self.folder / key)),
                *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"),
                *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "LogLevel=ERROR", *options),
                *(f"{getpass.getuser()}@127.0.0.1", *words),
            ],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sshd")
    keys = folder / "authorized_keys"
    make_key(folder / "host")
    AuthorizedKeys(keys).add(read_key_file(make_key(folder / "anna", comment="anna")), "viewer", program="/bin/false")
    unrestricted = make_key(folder / "bare", comment="bare").read_text()
    keys.write_text(keys.read_text() + unrestricted)
    gate = (
        "from pathlib import Path; from intercom.control import ssh_keys;"
        f"ssh_keys.INSTALLED = Path({str(keys)!r});"
        "import sys; from intercom.cli.main import main; sys.exit(main(['ssh-gate']))"
    )
    (folder / "gate.py").write_text(gate)
    drop_in = (SYSTEMD / "intercom.sshd.conf").read_text()
    drop_in = drop_in.replace("Match User intercom", f"Match User {getpass.getuser()}")
    drop_in = drop_in.replace("/etc/intercom/ssh/authorized_keys", str(keys))
    drop_in = drop_in.replace("/opt/intercom/bin/intercom ssh-gate", f"{sys.executable} {folder / 'gate.py'}")
    (folder / "drop-in.conf").write_text(drop_in)
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Include {folder}/drop-in.conf\nPort {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        "UsePAM no\nStrictModes no\nSetEnv PYTHONPATH=" + str(SYSTEMD.parent) + "\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.PIPE) as process:
        until = time.monotonic() + WAIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until, process.stderr
        yield Server(folder, port)
        process.terminate()


needs_sshd = pytest.mark.skipif(shutil.which(SSHD) is None, reason="openssh-server is not installed")


@needs_sshd
def test_sshd_itself_forces_the_gate_which_knows_the_role_of_the_key(server: Server) -> None:
    refused = server.run("anna", "door", "open")
    assert refused.returncode == 6
    assert "a viewer may not run that" in refused.stderr


@needs_sshd
@pytest.mark.parametrize("words", [("id",), ("status",), ()])
def test_a_key_whose_line_has_no_forced_command_gets_no_shell_and_no_command(
    server: Server, words: tuple[str, ...]
) -> None:
    refused = server.run("bare", *words)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "is not in" in refused.stderr


@needs_sshd
def test_no_tunnel_is_dug_with_any_key(server: Server) -> None:
    refused = server.run("bare", options=("-W", "127.0.0.1:1"))
    assert refused.returncode != 0
    assert "prohibited" in refused.stderr or "failed" in refused.stderr


# -- the commands ----------------------------------------------------------------------------------------------


def test_a_command_on_the_space_stands_in_the_space_s_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_as_service, "SPACE_STATE", tmp_path)
    environ: dict[str, str] = {}
    run_as_service.take_the_space_s_place(environ)
    assert environ == {"STATE_DIRECTORY": str(tmp_path)}
