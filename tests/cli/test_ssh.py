"""`intercom ssh-gate`: the command of an SSH client, from its words to the door."""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from intercom.cli import main, ssh
from intercom.control.server import Caller, ControlServer

WAIT_S = 60.0
Asked = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    """What a door at `tmp_path` is asked, on a loop of its own."""
    said: Asked = []

    async def open_door(_: Caller, params: Mapping[str, Any]) -> Any:
        said.append(("door.open", params))
        return {"open_s": 1.5}

    async def volume(_: Caller, params: Mapping[str, Any]) -> Any:
        said.append(("volume", params))
        return {"what": params["what"], "gain_db": params["gain_db"] or 0.0}

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    handlers = {"door.open": open_door, "volume": volume}
    server = ControlServer(tmp_path / "door", handlers, status=dict, version="1", on_fault=lambda error: None)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(WAIT_S)
    yield said
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(WAIT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(WAIT_S)
    loop.close()


def gate(folder: Path, words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the gate for an operator's key, as sshd does."""
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", words)
    options = main.parser().parse_args(["ssh-gate", "operator", "--name", "anna", "--socket", str(folder / "door")])
    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", None)
    return ssh.gate(options)


def test_a_command_is_parsed_once(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gate(tmp_path, "volume speaker -6.5", monkeypatch) == 0
    assert asked == [("volume", {"what": "speaker", "gain_db": -6.5, "by": "ssh anna"})]


def test_the_client_s_environment_says_neither_who_asks_nor_where(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERCOM_BY", "the owner")
    monkeypatch.setenv("INTERCOM_SOCKET", str(tmp_path / "another"))
    assert gate(tmp_path, "door open", monkeypatch) == 0
    assert asked == [("door.open", {"by": "ssh anna"})]


def test_what_is_left_out_is_what_the_parser_would_take(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(tmp_path, "volume", monkeypatch)
    assert asked == [("volume", {"what": "speaker", "gain_db": None, "by": "ssh anna"})]
