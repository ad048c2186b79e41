"""The socket: real WebSockets on a loopback port, alive, dead and too big."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from intercom.signalwire.errors import InvalidParamsError, TransportError
from intercom.signalwire.link import transport
from intercom.signalwire.link.transport import MAX_SOCKET_FRAME_BYTES, open_websocket, ssl_context
from tests.integrations.mqtt.certificates import Authority


class Tunnel:
    """A TCP tunnel that can be choked: the connections stay, nothing passes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def choke(self) -> None:
        self._open.clear()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, back]
        await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer), return_exceptions=True)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)


@pytest.fixture
async def echo() -> AsyncIterator[Server]:
    async def handler(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send("x" * int(message[4:]) if message[:4] == "big " else message)

    async with serve(handler, "127.0.0.1", 0, ping_interval=None) as server:
        yield server


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_frames_go_both_ways(echo: Server) -> None:
    socket = await open_websocket(url(echo))
    socket.send("hello")
    assert await anext(socket.frames()) == "hello"
    await socket.close()


async def test_what_is_sent_too_late_breaks_nothing_and_the_frames_end(echo: Server) -> None:
    socket = await open_websocket(url(echo))
    await socket.close()
    socket.send("too late")
    assert [frame async for frame in socket.frames()] == []


async def test_a_socket_that_takes_no_more_tells_how_much_waits(echo: Server) -> None:
    tunnel = Tunnel(echo.sockets[0].getsockname()[1])
    socket = await open_websocket(f"ws://127.0.0.1:{await tunnel.start()}")
    tunnel.choke()
    frame = "x" * MAX_SOCKET_FRAME_BYTES
    for _ in range(4):
        socket.send(frame)
    assert socket.unsent_bytes > 0
    await tunnel.stop()


async def test_a_monstrous_frame_costs_the_connection_not_the_memory(echo: Server) -> None:
    socket = await open_websocket(url(echo))
    socket.send(f"big {MAX_SOCKET_FRAME_BYTES + 1}")
    with pytest.raises(TransportError):
        await anext(socket.frames())


async def test_a_dead_socket_is_noticed_though_tcp_says_nothing(echo: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert transport.PING_INTERVAL_S + transport.PING_TIMEOUT_S + transport.CLOSE_TIMEOUT_S < 10
    monkeypatch.setattr(transport, "PING_INTERVAL_S", 0.1)
    monkeypatch.setattr(transport, "PING_TIMEOUT_S", 0.1)
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT_S", 0.1)
    tunnel = Tunnel(echo.sockets[0].getsockname()[1])
    socket = await open_websocket(f"ws://127.0.0.1:{await tunnel.start()}")
    tunnel.choke()
    async with asyncio.timeout(60):
        with pytest.raises(TransportError):
            await anext(socket.frames())
    await tunnel.stop()


async def test_nobody_there_is_said_in_words() -> None:
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:1 cannot be reached"):
        await open_websocket("ws://127.0.0.1:1")


async def test_the_clear_is_for_this_machine_only() -> None:
    with pytest.raises(InvalidParamsError, match="wss"):
        await open_websocket("ws://example.com")


async def test_a_certificate_that_is_none_is_said() -> None:
    with pytest.raises(InvalidParamsError, match="PEM"):
        await open_websocket("wss://localhost:1", certificate="rubbish")


@pytest.fixture
def authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's authorities: a file with one."""
    file = Authority(tmp_path).file
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return file


def test_the_systems_authorities_are_read_once_and_again_when_they_change(authorities: Path) -> None:
    first = ssl_context(None)
    assert ssl_context(None) is first
    assert len(first.get_ca_certs()) == 1
    os.utime(authorities, ns=(1, 1))
    assert ssl_context(None) is not first
    authorities.unlink()
    assert ssl_context(None).get_ca_certs() == []


def test_authorities_that_another_file_of_the_same_time_replaces_are_read_again(authorities: Path) -> None:
    os.utime(authorities, ns=(1, 1))
    first = ssl_context(None)
    other = authorities.with_name("other")
    other.write_bytes(authorities.read_bytes())
    os.utime(other, ns=(1, 1))
    other.replace(authorities)
    assert ssl_context(None) is not first


def test_importing_the_client_loads_nothing_heavy() -> None:
    program = (
        "import sys, intercom.signalwire; from intercom.signalwire import SignalWire, SpaceCredentials, Options\n"
        "print(sorted(name for name in ('aiortc', 'aiohttp', 'av', 'numpy', 'cryptography') if name in sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


async def test_a_port_that_cannot_be_is_an_address_that_is_not_reached() -> None:
    with pytest.raises(TransportError, match=r"puc\.example\.com:99999 cannot be reached"):
        await open_websocket("wss://puc.example.com:99999")
