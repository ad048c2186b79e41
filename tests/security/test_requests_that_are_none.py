"""Requests that no browser sends: each is refused, and the log does not fill with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.space.conftest import House, configure, house

__all__ = ["configure", "house"]

NASTY = [
    b"GET /station/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /station/%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /station/" + b"a/" * 3000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /station/" + b"a" * 300 + b".js HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b'POST /api/space/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n{"code":"\xff"}',
    b"POST /api/space/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\nContent-Encoding: gzip\r\n\r\n"
    + b"no gzip here",
    b"POST /api/space/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6000\r\n\r\n" + b"[" * 6000,
    b"POST /api/space/token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET /api/fabric/subscriber/info HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe.\xff.a\r\n\r\n",
    b"POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /station/?%ff=%00 HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[\r\nContent-Length: 0\r\n\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"\x00" * 100,
]


async def send(port: int, request: bytes) -> bytes:
    """The first line of the answer to what is sent; the sending side then ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        writer.write_eof()
        return await asyncio.wait_for(reader.readline(), 60)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("request_", NASTY)
async def test_it_is_refused_and_not_logged(house: House, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = await send(house.space.port, request_)
    assert answer.split()[1:2] in ([], [b"400"], [b"401"], [b"403"], [b"404"], [b"405"], [b"413"], [b"421"])
    assert caplog.records == []


async def test_a_body_that_breaks_off_is_not_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", house.space.port)
            writer.write(b"POST /api/space/pair HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx")
            await writer.drain()
            writer.transport.abort()
        async with house.http.get(house.space.url + "/api/space/hello") as answer:
            assert answer.status == 200
    assert caplog.records == []


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[asyncio.Runner, Space]]:
    """A space, and the loop that it runs in."""
    with asyncio.Runner() as runner:
        space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path)
        runner.run(space.start())
        yield runner, space
        runner.run(space.stop())


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    path=st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n ")),
    value=st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n")),
    body=st.binary(max_size=200),
    route=st.sampled_from(
        [b"/station/", b"/api/space/pair", b"/api/space/token", b"/api/fabric/addresses/", b"/api/fabric/addresses?x="]
    ),
    name=st.sampled_from([b"Host", b"Origin", b"Authorization", b"Upgrade", b"X-Forwarded-For", b"Content-Encoding"]),
)
def test_nothing_that_is_sent_fails_inside(
    running: tuple[asyncio.Runner, Space],
    caplog: pytest.LogCaptureFixture,
    path: bytes,
    value: bytes,
    body: bytes,
    route: bytes,
    name: bytes,
) -> None:
    runner, space = running
    length = str(len(body)).encode()
    host = b"" if name == b"Host" else b"Host: localhost\r\n"
    head = b"POST %s%s HTTP/1.1\r\n%s%s: %s\r\nContent-Length: %s\r\n\r\n" % (route, path, host, name, value, length)
    with caplog.at_level(logging.INFO):
        answer = runner.run(send(space.port, head + body))
    assert not answer.startswith(b"HTTP/1.1 5")
    assert caplog.records == []
