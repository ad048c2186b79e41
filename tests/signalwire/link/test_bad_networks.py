"""Networks that answer wrongly, or not at all: the client is patient, says why, and is there when they are well."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.config import SpaceConfig
from intercom.signalwire import SignalWire, SpaceCredentials
from intercom.signalwire.call.recovery_policy import RecoveryPolicy, RecoveryState
from intercom.signalwire.errors import TransportError
from intercom.signalwire.link import connect_race as opening_module
from intercom.signalwire.link.connect_race import AT_ONCE, first_to_open, unless
from intercom.signalwire.link.dial import NEXT_ADDRESS_S, _under_way, dial
from intercom.signalwire.link.transport import Socket
from intercom.signalwire.options import Options
from intercom.space import Space
from intercom.space.names import loopback_names
from intercom.space.tls.certificate import Certificate, now_utc
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import WAIT_S, MemorySocket, Service

NAME = "space.test"


class Resolver:
    """The network's name server: what `socket.getaddrinfo` says of the space's name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.address: str | None = None
        self._really = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: Any, *more: Any, **options: Any) -> Any:
        if host != NAME:
            return self._really(host, *more, **options)
        if self.address is None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self._really(self.address, *more, **options)


@pytest.fixture
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    space = Space(SpaceConfig(listen="127.0.0.1:0", tls="on", host_names=(NAME,)), tmp_path / "space")
    await space.start()
    yield space
    await space.stop()


def credentials(space: Space, tmp_path: Path) -> SpaceCredentials:
    """As of a space that is known by its name."""
    file = tmp_path / "door.json"
    space.write_credential("door", file)
    file.write_text(file.read_text().replace("//localhost:", f"//{NAME}:"))
    return SpaceCredentials(file)


def said(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return any(words in record.getMessage() for record in caplog.records)


async def until(holds: Any) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_network_without_names_and_then_with_a_portals_is_outlived(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    resolver = Resolver(monkeypatch)
    (tmp_path / "portal").mkdir()
    certificate = Certificate(tmp_path / "portal", loopback_names())
    certificate.ensure(now_utc())

    def portal(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: https://portal/\r\n\r\n")
        writer.close()

    options = Options(longest_delay_s=0.2)
    client = SignalWire(credentials(space, tmp_path), media=ScriptedMedia(), options=options)
    context: ssl.SSLContext = certificate.context()
    async with client, await asyncio.start_server(portal, "127.0.0.2", space.port, ssl=context):
        registering = asyncio.create_task(client.register())
        await until(lambda: said(caplog, "name resolution"))
        resolver.address = "127.0.0.2"
        await until(lambda: said(caplog, "certificate verify failed"))
        resolver.address = "127.0.0.1"
        async with asyncio.timeout(WAIT_S):
            await registering
        assert client.is_registered


async def test_a_name_server_that_hangs_holds_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, asked = threading.Event(), []

    def hang(*_: Any, **__: Any) -> Any:
        asked.append(threading.current_thread())
        answer.wait(WAIT_S)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    dials = [asyncio.ensure_future(dial(NAME, 443)) for _ in range(20)]
    await until(lambda: asked)
    for waiting in dials[:10]:
        waiting.cancel()
    answer.set()
    ended = await asyncio.gather(*dials, return_exceptions=True)
    assert len(asked) == 1
    assert asked[0].daemon
    assert {type(error) for error in ended} == {asyncio.CancelledError, socket.gaierror}
    assert not _under_way


@pytest.mark.parametrize("name", ["a..b", f"{'a' * 64}.example", "a\0b", "\ud800.example"])
async def test_a_name_that_cannot_be_looked_up_fails_each_time_and_holds_nothing(name: str) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match=r"no name|not known|No address|resolution"):
            async with asyncio.timeout(WAIT_S):
                await dial(name, 443)
    assert not _under_way


async def test_a_machine_without_threads_left_looks_up_the_name_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OSError, match="cannot be looked up"):
            await dial(NAME, 443)
    assert not _under_way


async def test_the_second_address_is_tried_when_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in ("127.0.0.3", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)
    async with server:
        connection = await dial(NAME, port)
        assert connection.getpeername() == ("127.0.0.1", port)
        connection.close()


async def test_a_second_address_is_tried_beside_a_first_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    infos = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in ("127.0.0.3", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)
    assert NEXT_ADDRESS_S < 1
    with contextlib.ExitStack() as opened:
        opened.enter_context(mute := socket.create_server(("127.0.0.3", port), backlog=0))
        for _ in range(4):  # its queue is full: the kernel drops who comes next, as a dead path does
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(mute.getsockname())
        async with server, asyncio.timeout(WAIT_S):
            connection = await dial(NAME, port)
            assert connection.getpeername() == ("127.0.0.1", port)
            connection.close()


async def test_a_server_that_accepts_and_says_nothing_is_left_for_one_that_speaks(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The silent one has the space's name until the credential is there; then it hangs in its TLS handshake."""
    resolver = Resolver(monkeypatch)
    resolver.address = "127.0.0.1"
    async with SignalWire(
        credentials(space, tmp_path), media=ScriptedMedia(), options=Options(longest_delay_s=0.2)
    ) as client:
        await client.register()
        silent: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _, writer: silent.append(writer), "127.0.0.2", space.port)
        async with server:
            resolver.address = "127.0.0.2"
            space.sockets.break_off("door")
            await until(lambda: len(silent) >= 2)
            assert not client.is_registered
            resolver.address = "127.0.0.1"
            await until(lambda: client.is_registered)
            for writer in silent:
                writer.close()


async def test_a_service_that_never_answers_the_first_request_is_left(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.wire.session.RPC_TIMEOUT_S", 0.05)
    service.silent.add("signalwire.connect")
    service.cut()
    await service.until(lambda: service.connects >= 4)
    assert not client.ready
    service.silent.clear()
    await service.until(lambda: client.is_registered)


async def test_few_attempts_hang_at_once_and_the_late_ones_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "ANEW_S", 0.005)
    hanging: set[object] = set()
    begun = 0

    async def open_sixth(url: str, certificate: str | None) -> MemorySocket:
        nonlocal begun
        begun += 1
        if begun == 6:
            return MemorySocket(Service())
        token = object()
        hanging.add(token)
        assert len(hanging) <= AT_ONCE
        try:
            await asyncio.Event().wait()
        finally:
            hanging.discard(token)
        raise AssertionError

    assert isinstance(await first_to_open(open_sixth, "wss://x", None, lambda _: None), MemorySocket)
    await until(lambda: not hanging)


async def test_a_socket_that_opens_as_the_attempt_is_cancelled_is_closed() -> None:
    opened: asyncio.Future[Socket] = asyncio.get_running_loop().create_future()
    closed: list[Socket] = []

    async def open_it() -> Socket:
        return await opened

    waiting = asyncio.create_task(unless(asyncio.Event(), open_it(), closed.append))
    await asyncio.sleep(0)  # it waits
    await asyncio.sleep(0)  # the attempt too
    opened.set_result(MemorySocket(Service()))
    await asyncio.sleep(0)  # the attempt has its socket, and nobody has been told yet
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert closed == [opened.result()]


async def test_a_socket_that_opens_although_its_attempt_was_left_is_closed() -> None:
    left = asyncio.Event()
    closed: list[Socket] = []
    socket = MemorySocket(Service())

    async def open_late() -> Socket:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return socket

    waiting = asyncio.create_task(unless(left, open_late(), closed.append))
    await asyncio.sleep(0)
    left.set()
    with pytest.raises(TransportError):
        await waiting
    assert closed == [socket]


async def test_an_attempt_that_fails_ends_all() -> None:
    async def refuse(url: str, certificate: str | None) -> MemorySocket:
        raise TransportError("refused")

    with pytest.raises(TransportError):
        await first_to_open(refuse, "wss://x", None, lambda _: None)


def test_a_service_that_knows_us_no_more_is_not_waited_for() -> None:
    policy = RecoveryPolicy()
    policy.service(False, 0.0)
    policy.trouble("silence", 1.0)
    policy.service_refused(2.0)
    policy.tick(2.0)
    assert policy.state is RecoveryState.FAILED


def test_a_call_that_is_heard_goes_on_without_the_service_that_refuses_us() -> None:
    policy = RecoveryPolicy()
    policy.sound(0.0)
    policy.service(False, 1.0)
    policy.service_refused(1.0)
    assert policy.next_deadline() is None
