"""The control server and its client on real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from intercom.control import admission, protocol, server
from intercom.control.client import Client
from intercom.control.errors import NotAnsweringError, NotRunningError, RefusedError, SocketInUseError
from intercom.control.server import Caller, ControlServer

WAIT_S = 60.0


class Door:
    """Something to ask."""

    def __init__(self, path: Path) -> None:
        self.state = "idle"
        self.callers: list[Caller] = []
        self.faults: list[OSError] = []
        self.server = ControlServer(
            path,
            {"status": self.status, "refuse": self.refuse, "break": self.break_},
            status=lambda: {"state": self.state},
            version="1",
            on_fault=self.faults.append,
        )

    async def status(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        self.callers.append(caller)
        return {"state": self.state, **params}

    async def refuse(self, _: Caller, __: Mapping[str, Any]) -> None:
        raise RefusedError("there is no call", protocol.REFUSED)

    async def break_(self, _: Caller, __: Mapping[str, Any]) -> None:
        raise ZeroDivisionError("a defect")


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path / "control.sock")
    await door.server.start()
    yield door
    await door.server.stop()


async def ask(door: Door, method: str, **params: Any) -> Any:
    def work() -> Any:
        with Client(door.server.path) as client:
            return client.ask(method, **params)

    return await asyncio.to_thread(work)


async def raw(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that has read the server's hello."""
    with server.reachable(door.server.path) as address:
        reader, writer = await asyncio.open_unix_connection(address)
    await asyncio.wait_for(reader.readline(), WAIT_S)
    return reader, writer


async def test_a_command_is_answered(door: Door) -> None:
    assert await ask(door, "status", more=1) == {"state": "idle", "more": 1}


async def test_the_server_knows_who_asks(door: Door) -> None:
    await ask(door, "status")
    assert door.callers == [Caller(os.getpid(), os.getuid())]


async def test_only_the_owner_and_the_group_may_connect(door: Door) -> None:
    assert stat.S_IMODE(door.server.path.stat().st_mode) == 0o660


async def test_a_refusal_comes_with_its_reason(door: Door) -> None:
    with pytest.raises(RefusedError, match="there is no call"):
        await ask(door, "refuse")


async def test_an_unknown_command_is_refused(door: Door) -> None:
    with pytest.raises(RefusedError, match="no command 'dance'"):
        await ask(door, "dance")


async def test_a_defect_is_told_and_the_door_goes_on(door: Door) -> None:
    with pytest.raises(RefusedError, match="ZeroDivisionError"):
        await ask(door, "break")
    assert await ask(door, "status") == {"state": "idle"}


async def test_what_is_not_json_is_answered_and_the_connection_goes_on(door: Door) -> None:
    reader, writer = await raw(door)
    writer.write(b"GET / HTTP/1.1\r\n" + protocol.request(1, "status", {}))
    with pytest.raises(RefusedError, match="not JSON"):
        protocol.parse_answer(await asyncio.wait_for(reader.readline(), WAIT_S))
    assert protocol.parse_answer(await asyncio.wait_for(reader.readline(), WAIT_S)).content == {"state": "idle"}
    writer.close()


async def test_an_endless_line_ends_the_connection(door: Door) -> None:
    reader, writer = await raw(door)
    writer.write(b"x" * (2 * protocol.REQUEST_LIMIT_BYTES))
    with pytest.raises(RefusedError, match="longer than"):
        protocol.parse_answer(await asyncio.wait_for(reader.readline(), WAIT_S))
    assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
    writer.close()


async def test_too_many_clients_are_turned_away_and_nobody_else_suffers(door: Door) -> None:
    held = [await raw(door) for _ in range(admission.PLACES_OF_A_USER)]
    with pytest.raises(RefusedError, match="connected already"):
        await ask(door, "status")
    held[0][1].write(protocol.request(1, "status", {}))
    assert protocol.parse_answer(await asyncio.wait_for(held[0][0].readline(), WAIT_S)).content == {"state": "idle"}
    for _, writer in held:
        writer.close()


async def test_a_client_that_says_nothing_is_dropped(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.05)
    reader, writer = await raw(door)
    assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
    writer.close()


async def test_watchers_see_a_change_at_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TICK_S", 3600.0)
    seen: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        with Client(door.server.path) as client:
            for doc in client.watch():
                loop.call_soon_threadsafe(seen.put_nowait, doc["state"])
                if doc["state"] == "ringing":
                    return

    watching = asyncio.create_task(asyncio.to_thread(watch))
    assert await asyncio.wait_for(seen.get(), WAIT_S) == "idle"
    door.state = "ringing"
    door.server.changed()
    assert await asyncio.wait_for(seen.get(), WAIT_S) == "ringing"
    await asyncio.wait_for(watching, WAIT_S)


async def test_a_status_that_fails_once_is_logged_and_those_who_watch_see_the_next_one(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "TICK_S", 0.01)
    reader, writer = await raw(door)
    writer.write(protocol.request(1, "watch", {}))
    await asyncio.wait_for(reader.readline(), WAIT_S)
    monkeypatch.setattr(door, "state", {"a set is no JSON"})
    async with asyncio.timeout(WAIT_S):
        while "cannot be told" not in caplog.text:
            await asyncio.sleep(0.001)
        monkeypatch.setattr(door, "state", "ringing")
        while b"ringing" not in await reader.readline():
            pass
    writer.close()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


async def test_a_status_that_fails_as_somebody_begins_to_watch_is_answered(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "state", {"a set is no JSON"})
    reader, writer = await raw(door)
    writer.write(protocol.request(1, "watch", {}))
    assert b"the log says more" in await asyncio.wait_for(reader.readline(), WAIT_S)
    writer.close()


async def test_a_watcher_that_does_not_read_costs_no_memory(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "COALESCE_S", 0.0)
    _, lazy = await raw(door)
    lazy.write(protocol.request(1, "watch", {}))
    await ask(door, "status")
    door.state = "x" * 30_000
    for _ in range(200):
        door.server.changed()
        await asyncio.sleep(0.001)
    assert await ask(door, "status") == {"state": door.state}
    waiting = [writer.transport.get_write_buffer_size() for writer in door.server._watchers]
    assert max(waiting) < 2 * server.WRITE_LIMIT_BYTES
    lazy.close()


async def test_only_one_service_listens(door: Door) -> None:
    with pytest.raises(SocketInUseError, match="another door station"):
        await Door(door.server.path).server.start()


async def test_the_socket_of_a_dead_service_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    door = Door(path)
    await door.server.start()
    assert await ask(door, "status") == {"state": "idle"}
    await door.server.stop()


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    door = Door(directory / "control.sock")
    await door.server.start()
    assert await ask(door, "status") == {"state": "idle"}
    await door.server.stop()


def let_the_clock_of_files_go_on(probe: Path, past: int) -> None:
    """Return once a file that is written now is newer than `past`: the kernel stamps files by a clock of some ms."""
    probe.touch()
    while probe.stat().st_ctime_ns <= past:
        probe.touch()


async def test_after_a_stop_nobody_is_running_and_the_socket_tells_since_when(door: Door) -> None:
    before = door.server.path.stat().st_ctime_ns
    let_the_clock_of_files_go_on(door.server.path.with_name("clock"), before)
    await door.server.stop()
    with pytest.raises(NotRunningError):
        await ask(door, "status")
    assert door.server.path.stat().st_ctime_ns > before


def test_a_service_that_hangs_is_named_by_its_process(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(path))
        hung.listen()
        with pytest.raises(NotAnsweringError) as caught:
            Client(path, hello_s=0.05)
    assert caught.value.pid == os.getpid()


async def test_the_heart_beats_only_where_it_costs_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEARTBEAT_S", 0.01)
    beats: list[Path] = []
    monkeypatch.setattr(server.os, "utime", lambda path, *_: beats.append(path))
    resting, beating = Door(tmp_path / "a.sock"), Door(tmp_path / "b.sock")
    beating.server._heartbeat = True
    await resting.server.start()
    await beating.server.start()
    while len(beats) < 3:
        await asyncio.sleep(0.005)
    assert set(beats) == {beating.server.path}
    await resting.server.stop()
    await beating.server.stop()


async def test_a_socket_that_somebody_took_away_is_told_and_is_there_again_after_a_restart(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.server._heartbeat = True
    door.server.path.unlink()
    door.server._beat()
    assert [type(error) for error in door.faults] == [FileNotFoundError]
    await door.server.stop()
    await door.server.start()
    assert (await ask(door, "status"))["state"] == "idle"
