"""coturn as the companion: real process, real allocations."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from aioice import Candidate, Connection
from aioice.stun import TransactionFailed

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.errors import TurnError
from intercom.space.turn import companion
from intercom.space.turn.coturn import TurnServer, _ending_with
from intercom.space.turn.coturn_database import TurnBook
from intercom.space.turn.credentials import LIFETIME_S, ice_server
from intercom.space.turn.keeper import DOOR_AWAY_S, TurnKeeper
from intercom.space.turn.peers import peers_of
from tests.space.conftest import WAIT_S, House
from tests.turn_client import NOTHING_COMES_S, TCP, TurnClient


@pytest.fixture
async def turn(tmp_path: Path) -> AsyncIterator[TurnServer]:
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (apt install coturn)")
    turn = TurnServer(tmp_path, loopback_peers=True)
    await turn.start()
    yield turn
    await turn.stop()


async def relayed(turn: TurnServer, now: float, secret: str | None = None) -> list[Candidate]:
    """The relay candidates that a client with credentials made at `now` gathers."""
    server = turn.ice_server("somebody", now)
    if secret is not None:
        server = ice_server(turn.url, secret, "somebody", now)
    port = int(turn.url.split("?")[0].rsplit(":", 1)[1])
    connection = Connection(
        ice_controlling=True,
        turn_server=("127.0.0.1", port),
        turn_username=server.username,
        turn_password=server.credential,
    )
    try:
        await connection.gather_candidates()
        return [candidate for candidate in connection.local_candidates if candidate.type == "relay"]
    finally:
        await connection.close()


async def test_a_client_with_the_spaces_credentials_gets_a_relay(turn: TurnServer) -> None:
    assert [candidate.host for candidate in await relayed(turn, time.time())] == ["127.0.0.1"]


async def test_credentials_that_have_run_out_get_none(turn: TurnServer) -> None:
    try:
        assert await relayed(turn, time.time() - LIFETIME_S - 60) == []
    except TransactionFailed as refused:
        assert refused.response.attributes["ERROR-CODE"][0] == 401


async def test_its_secrets_are_in_files_that_only_their_owner_reads(turn: TurnServer, tmp_path: Path) -> None:
    turn.ice_server("anna", time.time())
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir() if file.name != "turn.pid"}
    assert {"turn.conf", "turn.sqlite3"} <= set(files)
    assert set(files.values()) == {0o600}


def client(turn: TurnServer, who: str) -> TurnClient:
    server = turn.ice_server(who, time.time())
    port = int(turn.url.split("?")[0].rsplit(":", 1)[1])
    assert server.username is not None
    assert server.credential is not None
    return TurnClient(("127.0.0.1", port), server.username, server.credential)


async def test_who_is_forgotten_relays_no_more_and_nobody_else_notices(turn: TurnServer) -> None:
    with client(turn, "anna") as anna, client(turn, "bob") as bob, client(turn, "anna") as again, echo() as port:
        for each in (anna, bob):
            assert await asyncio.to_thread(each.allocate) == 0
            assert await asyncio.to_thread(each.reach, "127.0.0.1", port) == 0
        assert await asyncio.to_thread(anna.echo, b"hello") == b"hello"
        await turn.forget("anna")
        assert await asyncio.to_thread(again.allocate) == 401
        assert await asyncio.to_thread(anna.refresh) != 0
        assert await asyncio.to_thread(anna.echo, b"hello", within_s=NOTHING_COMES_S) != b"hello"
        assert await asyncio.to_thread(bob.refresh) == 0
        assert await asyncio.to_thread(bob.echo, b"hello") == b"hello"


async def test_who_was_forgotten_and_comes_back_gets_a_new_password(turn: TurnServer) -> None:
    turn.ice_server("anna", time.time())
    await turn.forget("anna")
    with client(turn, "anna") as anna:
        assert await asyncio.to_thread(anna.allocate) == 0


async def test_no_tcp_is_relayed(turn: TurnServer) -> None:
    server = turn.ice_server("anna", time.time())
    port = int(turn.url.split("?")[0].rsplit(":", 1)[1])
    with TurnClient(
        ("127.0.0.1", port), server.username or "", server.credential or "", socket.SOCK_STREAM
    ) as over_tcp:
        assert await asyncio.to_thread(over_tcp.allocate, TCP) == 442


@contextlib.contextmanager
def echo() -> Iterator[int]:
    """A UDP port that sends back what it gets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    data, sender = port.recvfrom(2048)
                    if not data:
                        return
                    port.sendto(data, sender)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield port.getsockname()[1]
        port.sendto(b"", port.getsockname())
        thread.join(WAIT_S)


async def test_a_relays_password_ends_with_the_session_that_it_was_given_to(
    house: House, turn: TurnServer, clock: list[float]
) -> None:
    keeper = TurnKeeper(lambda: turn, house.space.sockets, now=lambda: clock[0], own=lambda: ["10.1.1.1"])
    turn.ice_server("somebody who was removed", time.time())
    kitchen = await house.station("kitchen")
    subscriber = house.space.store.subscriber("kitchen")
    assert subscriber is not None
    turn.ice_server(subscriber.id, time.time())
    await keeper.look()
    assert turn.subscribers == {subscriber.id}
    house.space.sockets.expel(subscriber.id)
    await keeper.look()
    assert turn.subscribers == set()
    await asyncio.wait_for(kitchen.reader, WAIT_S)


async def test_relays_lead_to_the_machine_on_which_a_door_is_connected_and_not_for_long_after_it_left(
    house: House, tmp_path: Path, clock: list[float]
) -> None:
    book = TurnBook()
    turn = TurnServer(tmp_path, book=book)
    keeper = TurnKeeper(lambda: turn, house.space.sockets, now=lambda: clock[0], own=lambda: ["10.1.1.1", "fd00::1"])
    await house.station("kitchen")
    await keeper.look()
    assert book.peers == {"127.0.0.1"}
    house.space.store.add_subscriber("door", kind="door")
    door = await house.join("door")
    await keeper.look()
    assert book.peers == {"127.0.0.1", "10.1.1.1", "fd00::1"}
    await door.close()
    clock[0] += DOOR_AWAY_S - 1
    await keeper.look()
    assert "10.1.1.1" in book.peers
    clock[0] += 1
    await keeper.look()
    assert book.peers == {"127.0.0.1"}


@pytest.fixture
def clock() -> list[float]:
    """The time, monotonic seconds, as a test sets it."""
    return [0.0]


@pytest.mark.parametrize(
    ("connected_from", "reached_at"),
    [
        (["192.168.1.7"], {"192.168.1.7"}),
        (["::ffff:192.168.1.7"], {"192.168.1.7"}),
        (["2001:db8::7"], {"2001:db8::7"}),
        (["127.0.0.1"], {"10.1.1.1", "fd00::1"}),
        (["::1"], {"10.1.1.1", "fd00::1"}),
        (["10.1.1.1"], {"10.1.1.1", "fd00::1"}),
        (["fe80::7%eth0", "169.254.1.1", "", "door.local", "0.0.0.0", "224.0.0.251"], set()),
        ([], set()),
    ],
)
def test_a_door_is_reached_where_it_is_connected_from(connected_from: list[str], reached_at: set[str]) -> None:
    assert {str(peer) for peer in peers_of(connected_from, ["127.0.0.1", "10.1.1.1", "fd00::1"])} == reached_at


def test_what_was_given_before_coturn_was_started_again_holds_on(tmp_path: Path) -> None:
    book = TurnBook()
    book.open(tmp_path / "turn.sqlite3", [])
    secret = book.secret_of("anna")
    book.forget("bob")
    book.open(tmp_path / "turn.sqlite3", [])
    with contextlib.closing(sqlite3.connect(tmp_path / "turn.sqlite3")) as coturns:
        assert coturns.execute("SELECT realm, value FROM turn_secret").fetchall() == [("intercom", secret)]
    book.close()


async def test_a_machine_without_coturn_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TurnError, match="apt install coturn"):
        await TurnServer(tmp_path).start()


async def test_a_space_told_where_to_relay_runs_its_own_server_and_names_it_to_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion, "FIRST_TRY_S", WAIT_S)
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (apt install coturn)")
    space = Space(SpaceConfig(listen="127.0.0.1:0", turn_listen="127.0.0.1:0"), tmp_path)
    await space.start()
    try:
        kitchen = space.store.add_subscriber("kitchen")
        [server] = space.ice.of(kitchen, "intercom/1")
        assert isinstance(server.urls, list)
        assert server.urls[0].startswith("turn:127.0.0.1:")
        assert expires_in_h(server.username) == pytest.approx(2, abs=0.1)
        [server] = space.ice.of(kitchen, "signalwire-js/4.0.0")
        assert expires_in_h(server.username) == pytest.approx(24, abs=0.1)
    finally:
        await space.stop()


async def test_a_turn_server_that_ends_by_itself_is_told(turn: TurnServer) -> None:
    ended = asyncio.create_task(turn.wait_failed())
    assert turn._process is not None
    turn._process.kill()
    with pytest.raises(TurnError, match="ended by itself"):
        await asyncio.wait_for(ended, WAIT_S)


STARTS_ONE: Final = """
import asyncio, pathlib, sys
from intercom.space.turn.coturn import TurnServer

async def main():
    turn = TurnServer(pathlib.Path(sys.argv[1]))
    await turn.start()
    print(turn._process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_turn_server_does_not_outlive_a_space_that_is_killed(tmp_path: Path) -> None:
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (apt install coturn)")
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as space:
        assert space.stdout is not None
        server = os.pidfd_open(int(space.stdout.readline()))
        space.kill()
    try:
        ended, _, _ = select.select([server], [], [], WAIT_S)
        if not ended:
            signal.pidfd_send_signal(server, signal.SIGKILL)
        assert ended
    finally:
        os.close(server)


def test_a_turn_server_whose_space_was_killed_before_it_began_does_not_begin() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    begun = [
        subprocess.run([*_ending_with(parent), "echo", "begun"], capture_output=True, check=False).stdout
        for parent in (gone.pid, os.getpid())
    ]
    assert begun == [b"", b"begun\n"]


async def test_a_start_that_is_cancelled_leaves_no_turn_server(tmp_path: Path) -> None:
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (apt install coturn)")
    turn = TurnServer(tmp_path)
    starting = asyncio.create_task(turn.start())
    while turn._process is None:
        await asyncio.sleep(0)
    process = turn._process
    starting.cancel()
    await asyncio.wait({starting})
    assert starting.cancelled()
    assert process.returncode is not None


def expires_in_h(username: str) -> float:
    return (int(username.partition(":")[0]) - time.time()) / 3600
