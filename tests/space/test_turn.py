"""coturn as the companion: real process, real allocations."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from aioice import Candidate, Connection
from aioice.stun import TransactionFailed

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.errors import TurnError
from intercom.space.turn import TurnServer, _ending_with
from intercom.space.turn_credentials import LIFETIME_S, ice_server


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
    server = ice_server(turn.url, secret or turn.secret, "somebody", now)
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


async def test_the_secret_is_in_a_file_that_only_its_owner_reads(turn: TurnServer, tmp_path: Path) -> None:
    configuration = tmp_path / "turn.conf"
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert turn.secret in configuration.read_text()


async def test_a_machine_without_coturn_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TurnError, match="apt install coturn"):
        await TurnServer(tmp_path).start()


async def test_a_space_told_where_to_relay_runs_its_own_server_and_names_it_to_clients(tmp_path: Path) -> None:
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (apt install coturn)")
    space = Space(SpaceConfig(listen="127.0.0.1:0", turn_listen=f"127.0.0.1:{free_udp_port()}"), tmp_path)
    await space.start()
    try:
        kitchen = space.store.add_subscriber("kitchen")
        [server] = space._ice_servers(kitchen, "intercom/1")
        assert isinstance(server.urls, list)
        assert server.urls[0].startswith("turn:127.0.0.1:")
        assert expires_in_h(server.username) == pytest.approx(2, abs=0.1)
        [server] = space._ice_servers(kitchen, "signalwire-js/4.0.0")
        assert expires_in_h(server.username) == pytest.approx(24, abs=0.1)
    finally:
        await space.stop()


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_turn_server_that_ends_by_itself_is_told(turn: TurnServer) -> None:
    ended = asyncio.create_task(turn.wait_failed())
    assert turn._process is not None
    turn._process.kill()
    with pytest.raises(TurnError, match="ended by itself"):
        await asyncio.wait_for(ended, 10)


STARTS_ONE: Final = """
import asyncio, pathlib, sys
from intercom.space.turn import TurnServer

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
        ended, _, _ = select.select([server], [], [], 10)
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
