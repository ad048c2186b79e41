"""coturn whose ports somebody else takes, and coturn that is late, hangs or does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.errors import TurnError
from intercom.space.turn import companion, console, coturn
from intercom.space.turn.coturn import TurnServer
from tests.ports import free_port
from tests.space.turn.test_coturn import client, turn

__all__ = ["turn"]

WAIT_S: Final = 60.0
UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM
HANGS: Final = "#!/bin/sh\ntrap '' TERM\necho $$ > hanging.pid\nwhile :; do sleep 1; done\n"
"""A coturn that does nothing, and does not end either."""


Take = Callable[[int, socket.SocketKind], int]


@pytest.fixture
def taken() -> Iterator[Take]:
    """Another program, which takes ports: this one, or with 0 any."""
    with contextlib.ExitStack() as program:

        def take(port: int, kind: socket.SocketKind) -> int:
            other = program.enter_context(socket.socket(socket.AF_INET, kind))
            other.bind(("127.0.0.1", port))
            if kind == TCP:
                other.listen()
            return int(other.getsockname()[1])

        yield take


@pytest.mark.parametrize(("choice", "kind"), [(0, UDP), (0, TCP), (1, TCP)], ids=["udp", "tcp", "console"])
async def test_a_port_that_is_taken_before_coturn_has_it_is_given_up_for_another(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    taken: Take,
    choice: int,
    kind: socket.SocketKind,
) -> None:
    chosen: list[int] = []

    def choose(address: str) -> int:
        chosen.append(free_port(address))
        if len(chosen) == choice + 1:
            taken(chosen[-1], kind)
        return chosen[-1]

    monkeypatch.setattr(coturn, "free_port", choose)
    turn = TurnServer(tmp_path, loopback_peers=True)
    await turn.start()
    try:
        with client(turn, "anna") as anna:
            assert await asyncio.to_thread(anna.allocate) == 0
            await turn.forget("anna")
            assert await asyncio.to_thread(anna.refresh) != 0
    finally:
        await turn.stop()


@pytest.mark.parametrize("kind", [UDP, TCP], ids=["udp", "tcp"])
async def test_an_owner_whose_port_is_taken_is_told_so(tmp_path: Path, taken: Take, kind: socket.SocketKind) -> None:
    port = taken(0, kind)
    turn = TurnServer(tmp_path, port=port)
    with pytest.raises(TurnError, match=f"another program has port {port} of 127.0.0.1: stop it, or choose another"):
        await turn.start()
    assert turn._process is None


async def test_an_owner_whose_address_is_another_machines_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(TurnError, match=r"does not have the address 192\.0\.2\.1"):
        await TurnServer(tmp_path, listen="192.0.2.1", port=3478).start()


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it but a coturn that hangs."""
    program = tmp_path / "bin" / "turnserver"
    program.parent.mkdir()
    program.write_text(HANGS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return tmp_path


async def test_a_coturn_that_hangs_is_killed_and_told(hanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coturn, "START_LIMIT_S", 0.5)
    monkeypatch.setattr(coturn, "STOP_LIMIT_S", 0.1)
    with pytest.raises(TurnError, match=r"did not answer at turn:127.0.0.1:\d+\?transport=udp within 0.5 s"):
        await TurnServer(hanging).start()
    with contextlib.suppress(FileNotFoundError):  # on a slow machine it was killed before it wrote that
        assert not Path("/proc", (hanging / "hanging.pid").read_text().strip()).exists()


async def test_a_space_serves_the_house_while_its_coturn_hangs(hanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "FIRST_TRY_S", 0.1)
    space = Space(SpaceConfig(listen="127.0.0.1:0", turn_listen="127.0.0.1:0"), hanging / "space")
    await space.start()
    try:
        assert "no TURN server" not in space.summary, "the first try has not ended"
        assert space.ice.of(space.store.add_subscriber("kitchen"), "intercom/1") == []
    finally:
        await space.stop()


async def test_relays_that_could_not_be_ended_are_ended_later(
    turn: TurnServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with client(turn, "anna") as anna:
        assert await asyncio.to_thread(anna.allocate) == 0
        assert turn._process is not None
        turn._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, turn._process.pid, os.WSTOPPED | os.WNOWAIT)  # it may still answer until then
        with monkeypatch.context() as patience:
            patience.setattr(console, "ANSWER_LIMIT_S", 0.1)
            await turn.forget("anna")
            await turn.forget()
        turn._process.send_signal(signal.SIGCONT)
        assert caplog.text.count("still has the relays that it opened") == 1
        await turn.forget()
        assert await asyncio.to_thread(anna.refresh) != 0
