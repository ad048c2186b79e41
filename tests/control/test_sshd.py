"""Commands through a real OpenSSH server on a loopback port, asked for politely and otherwise."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from intercom.control.server import Caller, ControlServer
from tests.control.test_ssh_keys import make_key
from tests.ports import reserved_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "sshd"
INTERCOM = Path(sys.executable).parent / "intercom"
WAIT_S = 90.0
DOC: dict[str, Any] = {"state": "idle", "version": "1", "registered": True, "faults": [], "call": None, "phase": "none"}
DOC |= {
    "uptime_s": 1,
    "pid": 1,
    "camera": None,
    "door": {"open": False},
    "lights": "idle",
    "at": "2026-01-01T00:00:00Z",
}
DOC["sound"] = {"card": "none", "capture_xruns": 0, "playback_xruns": 0, "running": False}
DOC["sound"] |= {"microphone_muted": False, "speaker_muted": False}


class Door:
    """A control server on a loop of its own; remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server = ControlServer(
            path,
            {"status": self._status, "door.open": self._open},
            status=lambda: DOC,
            version="1",
            on_fault=lambda error: None,
        )

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(WAIT_S)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(WAIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    async def _status(self, _: Caller, params: Mapping[str, Any]) -> Any:
        self.asked.append(("status", params))
        return DOC

    async def _open(self, _: Caller, params: Mapping[str, Any]) -> Any:
        self.asked.append(("door.open", params))
        return {"open_s": 1.5}


class Ssh:
    """A client with one key for each role."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port

    def __call__(self, role: str, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.line(role, *command, options=options),
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def line(self, role: str, *command: str, options: tuple[str, ...] = ()) -> list[str]:
        return [
            *("ssh", "-F", "none", "-p", str(self.port), "-i", str(self.directory / role)),
            *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"),
            *("-o", f"UserKnownHostsFile={self.directory / 'known_hosts'}", "-o", "LogLevel=ERROR", *options),
            "--",
            f"{getpass.getuser()}@127.0.0.1",
            *command,
        ]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("door") / "control.sock")
    door.start()
    yield door
    door.stop()


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory, door: Door) -> Iterator[Ssh]:
    directory = tmp_path_factory.mktemp("ssh")
    keys = directory / "authorized_keys"
    for role in ("viewer", "operator"):
        key = make_key(directory / role, comment=f"{role}@laptop")
        command = [INTERCOM, "ssh-key", "add", key, "--role", role, "--file", keys, "--socket", door.path]
        subprocess.run([str(word) for word in command], check=True, timeout=WAIT_S)
    make_key(directory / "host")
    with reserved_port() as port:
        yield from _serve(directory, keys, port)


def _serve(directory: Path, keys: Path, port: int) -> Iterator[Ssh]:
    config = directory / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\nAcceptEnv *\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own condition for starting
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=(directory / "sshd.log").open("w"))
    try:
        _wait_for(port, directory / "sshd.log", server)
        yield Ssh(directory, port)
    finally:
        server.terminate()
        server.wait(WAIT_S)


def _wait_for(port: int, log: Path, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + WAIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.05)
        else:
            return


def test_a_viewer_sees_the_status(ssh: Ssh) -> None:
    answer = ssh("viewer", "status")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("Ready\n")


def test_json_comes_over_ssh(ssh: Ssh) -> None:
    answer = ssh("viewer", "status", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["state"] == "idle"


def test_an_operator_opens_the_door_and_is_known_by_the_key_s_name(ssh: Ssh, door: Door) -> None:
    door.asked.clear()
    answer = ssh("operator", "door", "open")
    assert answer.stdout == "The door is open for 1.5 s.\n"
    assert door.asked == [("door.open", {"by": "ssh operator@laptop"})]


HOSTILE = [
    "sh",
    "status; touch MARK",
    "status && touch MARK",
    "status | tee MARK",
    "status > MARK",
    "status $(touch MARK)",
    "status `touch MARK`",
    "status\ntouch MARK",
    "status\r\ntouch MARK",
    "'status'; 'touch' 'MARK'",
    "status' ; touch MARK '",
    '"; touch MARK; "',
    "status --socket MARK",
    "--version",
    "ssh-gate operator",
    "ssh-key add MARK",
    "-c touch MARK",
    "door open",
    "status %s%s%n",
    "../../bin/sh",
    "\x1b]0;title\x07status",
    "status " + "A" * 60_000,
    "",
]


@pytest.mark.parametrize("command", HOSTILE, ids=lambda command: ascii(command[:20]))
def test_nothing_else_is_run(ssh: Ssh, command: str, tmp_path: Path, door: Door) -> None:
    door.asked.clear()
    mark = tmp_path / "mark"
    answer = ssh("viewer", command.replace("MARK", str(mark)))
    assert answer.returncode == 6
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stderr.rstrip("\n").isprintable()
    assert not mark.exists()
    assert door.asked == []


def test_a_command_larger_than_the_system_allows_runs_nothing(ssh: Ssh, door: Door, tmp_path: Path) -> None:
    door.asked.clear()
    argument_limit = 128 * 1024  # of Linux, for one argument
    config = tmp_path / "config"
    config.write_text(f"RemoteCommand status {'A' * (argument_limit + 1000)}\n")
    assert ssh("viewer", options=("-o", "LogLevel=QUIET", "-F", str(config))).returncode != 0
    assert door.asked == []


def test_there_is_no_file_transfer(ssh: Ssh) -> None:
    answer = ssh("operator", "sftp", options=("-s",))
    assert (answer.returncode, answer.stdout) == (6, "")


def test_there_is_no_forwarding(ssh: Ssh) -> None:
    options = ("-o", "ExitOnForwardFailure=yes", "-R", f"0:127.0.0.1:{ssh.port}")
    assert "forward" in ssh("operator", "status", options=options).stderr


def test_the_client_s_environment_does_not_lead_elsewhere(ssh: Ssh, tmp_path: Path) -> None:
    options = ("-o", f"SetEnv=INTERCOM_SOCKET={tmp_path / 'no.sock'}")
    assert ssh("viewer", "status", options=options).returncode == 0


@pytest.mark.skipif(os.getuid() != 0, reason="sshd gives out terminals only as root")
def test_a_terminal_is_only_for_watching(ssh: Ssh) -> None:
    answer = ssh("operator", "status", options=("-tt",))
    assert answer.returncode == 6
    assert "only watch may have a terminal" in answer.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="sshd gives out terminals only as root")
def test_watch_is_live_on_a_terminal(ssh: Ssh) -> None:
    watching = subprocess.Popen(
        ssh.line("viewer", "watch", options=("-tt",)), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        assert watching.stdout is not None
        seen = ""
        while "Ready" not in seen:
            line = watching.stdout.readline()
            assert line, seen
            seen += line
        assert "\x1b[H\x1b[J" in seen
    finally:
        watching.terminate()
        watching.wait(WAIT_S)
        assert watching.stdout is not None
        watching.stdout.close()
