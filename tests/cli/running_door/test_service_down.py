"""What is said of a service that does not answer, and how long it is waited for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.cli import render as text
from intercom.cli.running_door import service_down as down
from intercom.control.errors import NotAnsweringError
from intercom.control.server import HEARTBEAT_S, ControlServer

LATER_S = 60.0


@pytest_asyncio.fixture
async def socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """The socket of a service whose heart beats, in a place that counts as memory."""
    monkeypatch.setattr(down, "IN_MEMORY", tmp_path)
    server = ControlServer(
        tmp_path / "control.sock", {}, status=dict, version="1", heartbeat=True, on_fault=lambda error: None
    )
    await server.start()
    yield server.path
    await server.stop()


def at_the_last_beat(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be the moment of the heartbeat, however long this machine stood still since."""
    beat_at = socket.stat().st_mtime
    monkeypatch.setattr(time, "monotonic", lambda: beat_at)


def in_the_future(monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    """Let a clock of this process be ahead."""
    ahead = getattr(time, clock)() + LATER_S
    monkeypatch.setattr(time, clock, lambda: ahead)


async def test_a_service_whose_heart_beats_is_waited_for(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_last_beat(socket, monkeypatch)
    assert down.STALE_S > 2 * HEARTBEAT_S
    assert down.patience_s(socket) == down.HELLO_S


async def test_one_whose_heart_stopped_is_hardly_waited_for(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_future(monkeypatch, "monotonic")
    assert down.patience_s(socket) == down.HELLO_STALE_S


async def test_a_clock_that_is_set_stops_no_heart(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_last_beat(socket, monkeypatch)
    in_the_future(monkeypatch, "time")
    assert down.patience_s(socket) == down.HELLO_S


async def test_one_whose_heart_nobody_sees_is_waited_for(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "IN_MEMORY", Path("/run"))
    in_the_future(monkeypatch, "monotonic")
    assert down.patience_s(socket) == down.HELLO_S


async def test_since_when_it_hangs_is_told_by_the_clock_on_the_wall(socket: Path) -> None:
    since = datetime.fromisoformat(down.not_answering(socket, NotAnsweringError("it is silent"))["since"])
    assert abs(datetime.now(UTC) - since) < timedelta(seconds=LATER_S)


async def test_since_when_it_is_down_is_told_by_the_clock_on_the_wall(socket: Path) -> None:
    since = datetime.fromisoformat(down.not_running(socket)["since"])
    assert abs(datetime.now(UTC) - since) < timedelta(seconds=LATER_S)


async def test_what_systemd_knows_of_the_end_is_told_in_the_same_form(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"LoadState": "loaded", "StateChangeTimestamp": "@1764077536", "ActiveState": "failed"}
    monkeypatch.setattr(down, "_unit", lambda: known)
    doc = down.not_running(down.SYSTEM_DIRECTORY / "control.sock")
    assert datetime.fromisoformat(doc["since"]).timestamp() == 1764077536
    assert doc["lasted_s"] > 0


def test_people_read_since_when_and_how_long_ago() -> None:
    doc = {"state": "not_running", "since": "2026-11-25T13:32:49+0000", "lasted_s": 74.0, "reason": "it ended"}
    assert "since     2026-11-25 13:32:49, 1 min 14 s ago" in text.status(doc, colour=False)
