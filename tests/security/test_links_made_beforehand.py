"""Somebody who may write a directory prepares a link there, and waits for root's command to write through it."""

from __future__ import annotations

import asyncio
import base64
import os
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from intercom import atomic_file
from intercom.cli import main
from intercom.cli.running_door.remote import OK, TROUBLE
from intercom.config import MetricsConfig
from intercom.control.server import Caller, ControlServer
from intercom.door.health import metrics

JPEG = b"\xff\xd8 a picture"
KEPT = "kept"
WAIT_S = 60.0
NOBODY = 65534


@pytest_asyncio.fixture
async def socket(tmp_path: Path) -> AsyncIterator[Path]:
    """The control socket of a door that has a picture and a bundle to give."""

    async def snapshot(_: Caller, __: Mapping[str, Any]) -> dict[str, Any]:
        return {"jpeg": base64.b64encode(JPEG).decode(), "at": "2030-01-01T00:00:00+00:00"}

    async def diagnostics(_: Caller, __: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    handlers = {"snapshot": snapshot, "diagnostics": diagnostics}
    server = ControlServer(
        tmp_path / "control.sock", handlers, status=dict, version="1", on_fault=lambda error: pytest.fail(str(error))
    )
    await server.start()
    yield server.path
    await server.stop()


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that only root should write."""
    file = tmp_path / "victim"
    file.write_text(KEPT)
    return file


def words(command: str, file: Path) -> list[str]:
    return ["snapshot", str(file)] if command == "snapshot" else ["diagnostics", "-o", str(file)]


async def run(command: str, file: Path, socket: Path) -> int:
    return await asyncio.to_thread(main.main, [*words(command, file), "--socket", str(socket)])


each_command = pytest.mark.parametrize("command", ["snapshot", "diagnostics"])


@each_command
async def test_a_link_at_the_file_is_refused_in_one_sentence(
    command: str, socket: Path, victim: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "out"
    link.symlink_to(victim)
    assert await run(command, link, socket) == TROUBLE
    assert victim.read_text() == KEPT
    assert capsys.readouterr().err.startswith("intercom: A link or another thing that is no ordinary file is there")


@each_command
async def test_a_hard_link_at_the_file_keeps_what_its_other_name_had(
    command: str, socket: Path, victim: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").hardlink_to(victim)
    assert await run(command, tmp_path / "out", socket) == OK
    assert victim.read_text() == KEPT


@each_command
async def test_links_under_every_name_that_is_written_meanwhile_are_not_followed(
    command: str, socket: Path, victim: Path, tmp_path: Path
) -> None:
    for name in (".out.new", f".out.{os.getpid()}.new"):
        (tmp_path / name).symlink_to(victim)
    assert await run(command, tmp_path / "out", socket) == OK
    assert victim.read_text() == KEPT


@each_command
async def test_a_device_or_pipe_is_not_replaced_by_a_file(command: str, socket: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert await run(command, pipe, socket) == TROUBLE
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@each_command
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
async def test_what_is_written_behind_sudo_belongs_to_whoever_typed_it_and_to_nobody_else(
    command: str, socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    monkeypatch.setenv("SUDO_GID", str(NOBODY))
    assert await run(command, tmp_path / "out", socket) == OK
    found = (tmp_path / "out").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, NOBODY)


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_file.hand_out(tmp_path / "typo" / "file", b"")
    assert list(tmp_path.iterdir()) == []


async def test_the_figures_are_not_written_through_a_link(tmp_path: Path, victim: Path) -> None:
    file = tmp_path / "intercom.prom"
    (tmp_path / f".intercom.prom.{os.getpid()}").symlink_to(victim)
    exporter = metrics.Exporter(
        MetricsConfig(textfile=str(file)), lambda: "t 1\n", on_fault=lambda error: pytest.fail(str(error))
    )
    await exporter.start()
    async with asyncio.timeout(WAIT_S):
        while not file.exists():
            await asyncio.sleep(0.001)
    await exporter.stop()
    assert victim.read_text() == KEPT
