"""Connections that say nothing, or are too many."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from intercom.space.http.connection_limits import ConnectionLimits
from intercom.space.http.listener import Listener
from intercom.space.http.station_files import station_routes

WAIT_S = 60.0


@pytest.fixture
async def app() -> web.Application:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    return app


@pytest.fixture
async def silent_port(app: web.Application) -> AsyncIterator[int]:
    listener = Listener(app, silence_limit_s=0.2)
    yield await listener.start("127.0.0.1", 0, None)
    await listener.stop()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), WAIT_S) == b""
    except ConnectionResetError:
        return True


async def test_a_connection_that_says_nothing_is_closed(silent_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", silent_port)
    assert await is_closed(reader)
    writer.close()


async def test_a_connection_that_never_ends_its_request_is_closed(silent_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", silent_port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    assert await is_closed(reader)
    writer.close()


async def test_a_request_whose_body_never_comes_is_ended(app: web.Application) -> None:
    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app.add_routes([web.post("/", read)])
    listener = Listener(app, request_limit_s=0.2)
    port = await listener.start("127.0.0.1", 0, None)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx")
        assert await is_closed(reader)
        writer.close()
    finally:
        await listener.stop()


async def test_a_connection_that_does_not_read_its_answers_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    app = web.Application()
    app.add_routes(station_routes())
    listener = Listener(app, answer_limit_s=0.5)
    port = await listener.start("127.0.0.1", 0, None)
    try:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", port))
            slow.send(b"GET /station/station.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
            async with asyncio.timeout(WAIT_S):
                while len(listener) == 0:
                    await asyncio.sleep(0.01)
                while len(listener) > 0:
                    await asyncio.sleep(0.01)
    finally:
        await listener.stop()
    assert caplog.records == []


async def test_a_connection_too_many_takes_the_place_of_the_oldest(app: web.Application) -> None:
    listener = Listener(app, limits=ConnectionLimits(guests_limit=2))
    port = await listener.start("127.0.0.1", 0, None)
    try:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), WAIT_S)).startswith(b"HTTP/1.1 200")
        assert await is_closed(silent[0][0])
        assert not silent[1][0].at_eof()
        for each in (writer, silent[0][1], silent[1][1]):
            each.close()
    finally:
        await listener.stop()


@pytest.mark.parametrize("host", ["::1", "localhost", "127.0.0.1"])
async def test_it_listens_on_addresses_of_both_versions_and_on_names(app: web.Application, host: str) -> None:
    listener = Listener(app)
    try:
        port = await listener.start(host, 0, None)
    except OSError as problem:
        pytest.skip(f"this machine has no {host}: {problem}")
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), WAIT_S)).startswith(b"HTTP/1.1 200")
        writer.close()
    finally:
        await listener.stop()
