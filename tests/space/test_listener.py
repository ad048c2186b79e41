"""Connections that say nothing, or are too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from intercom.space.listener import Listener

WAIT_S = 20.0


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


async def test_a_connection_too_many_is_closed_and_the_others_are_served(app: web.Application) -> None:
    listener = Listener(app, connections_limit=1)
    port = await listener.start("127.0.0.1", 0, None)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), WAIT_S)).startswith(b"HTTP/1.1 200")
        second, second_writer = await asyncio.open_connection("127.0.0.1", port)
        assert await is_closed(second)
        writer.close()
        second_writer.close()
    finally:
        await listener.stop()
