"""A name of the attacker's that leads to the house's space (DNS rebinding), and Host headers that are no names."""

from __future__ import annotations

import asyncio

import pytest

from tests.space.conftest import House, configure, house

__all__ = ["configure", "house"]


async def ask(house: House, host: str, path: str = "/station/") -> tuple[int, str]:
    """The status and the head of the answer to a request with this Host header, as a browser would never send it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.space.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    answer = (await asyncio.wait_for(reader.read(), 60)).decode("latin-1")
    writer.close()
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[0]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1"])
async def test_another_name_gets_no_page(house: House, host: str) -> None:
    assert (await ask(house, host))[0] == 421


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8599;script-src *",
        "localhost:8599 *",
        "localhost; script-src *",
        "localhost:99999",
        "[::1",
        "a@localhost",
    ],
)
async def test_a_host_header_that_is_no_host_is_refused_and_written_nowhere(house: House, host: str) -> None:
    status, head = await ask(house, host)
    assert status == 400
    assert host not in head


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"])
async def test_what_a_stranger_says_in_a_proxys_place_is_not_believed(house: House, name: str) -> None:
    headers = {name: {"X-Forwarded-Proto": "https"}.get(name, "evil.example")}
    async with house.http.get(house.space.url + "/api/space/hello", headers=headers) as answer:
        assert await answer.json() == {"relay_url": house.space.relay_url}


async def test_the_page_may_connect_to_its_own_socket_alone(house: House) -> None:
    async with house.http.get(house.space.url + "/station/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert f"connect-src 'self' ws://localhost:{house.space.port};" in policy
