"""A machine on the network turns to the one port that speaks in clear: it gets the CA and its page, no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from intercom.space.http.connection_limits import GUESTS_PER_MACHINE_LIMIT

from .house import AttackedHouse, attacked_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGER, PHONE = "127.0.0.66", "127.0.0.2"
WAIT_S = 60.0
SERVED = {"/trust", "/trust/house.crt", "/trust/house.mobileconfig", "/trust/trust.css", "/trust/trust.js"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[AttackedHouse]:
    async with attacked_house(tls="on") as running:
        yield running


async def asked(house: AttackedHouse, path: str, *, method: str = "GET", **headers: str) -> tuple[int, str]:
    """The status and the body of an answer in clear."""
    url = f"http://127.0.0.1:{house.trust_port}{path}"
    async with house.machine(STRANGER) as http, http.request(method, url, headers=headers) as answer:
        return answer.status, (await answer.read()).decode(errors="replace")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/station/",
        "/api/space/hello",
        "/api/space/token",
        "/api/fabric/addresses",
        "/trust/",
        "/trust/trust.html",
        "/trust/../ca.key",
        "/trust/%2e%2e/ca.key",
        "/trust/..%2f..%2fca.key",
        "/trust//etc/passwd",
        "/ca.key",
    ],
)
async def test_nothing_but_the_page_is_there(house: AttackedHouse, path: str) -> None:
    assert (await asked(house, path))[0] == 404


async def test_no_secret_is_handed_out(house: AttackedHouse) -> None:
    said = "".join([(await asked(house, path))[1] for path in SERVED])
    for secret in (house.secret, house.token, house.code.replace("-", ""), "PRIVATE KEY"):
        assert secret not in said


async def test_a_socket_gets_no_session_in_clear(house: AttackedHouse) -> None:
    async with house.machine(STRANGER) as http:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            await http.ws_connect(f"ws://127.0.0.1:{house.trust_port}/")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_is_changed_there(house: AttackedHouse, method: str) -> None:
    assert (await asked(house, "/trust", method=method))[0] == 405


async def test_a_name_that_leads_here_gets_no_page(house: AttackedHouse) -> None:
    assert (await asked(house, "/trust", Host="evil.example"))[0] == 421


async def test_another_site_s_page_reads_nothing(house: AttackedHouse) -> None:
    assert (await asked(house, "/trust", Origin="https://evil.example"))[0] == 403


async def test_a_foreign_name_never_gets_into_the_page_or_its_policy(house: AttackedHouse) -> None:
    for host in ('localhost:1"><script>', "localhost; script-src *", "evil.localhost"):
        status, body = await asked(house, "/trust", Host=host)
        assert status in {400, 421} or ("<script>" not in body and "script-src *" not in body)


async def test_the_page_runs_its_own_script_alone_and_asks_the_house_alone(house: AttackedHouse) -> None:
    async with house.machine(STRANGER) as http, http.get(f"http://localhost:{house.trust_port}/trust") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self';" in policy
    assert f"connect-src https://localhost:{house.port};" in policy


async def test_a_flood_of_connections_pushes_itself_out(house: AttackedHouse) -> None:
    held: list[asyncio.StreamWriter] = []
    try:
        before = house.descriptors
        for _ in range(3 * GUESTS_PER_MACHINE_LIMIT):
            with contextlib.suppress(OSError):
                _, writer = await house.raw(STRANGER, house.trust_port)
                held.append(writer)
        async with asyncio.timeout(WAIT_S):
            while house.descriptors > before + GUESTS_PER_MACHINE_LIMIT + 8:
                await asyncio.sleep(0.1)
        async with house.machine(PHONE) as http, http.get(f"http://localhost:{house.trust_port}/trust") as answer:
            assert answer.status == 200
    finally:
        for writer in held:
            writer.close()


async def test_a_head_that_never_ends_is_cut(house: AttackedHouse) -> None:
    reader, writer = await house.raw(STRANGER, house.trust_port)
    writer.write(b"GET /trust HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    with contextlib.suppress(ConnectionResetError):
        assert b"200" not in await asyncio.wait_for(reader.read(), 60)
    writer.close()


async def test_rubbish_costs_no_more_than_its_connection(house: AttackedHouse) -> None:
    lines = len(house.log_lines)
    for words in (b"\x16\x03\x01\x02\x00\x01", b"GET /trust HTTP/9.9\r\n\r\n", b"\x00" * 9000, b"GET /\xff \r\n\r\n"):
        reader, writer = await house.raw(PHONE, house.trust_port)
        writer.write(words)
        with contextlib.suppress(ConnectionError):
            assert b"200 OK" not in await asyncio.wait_for(reader.read(), 60)
        writer.close()
    assert (await asked(house, "/trust"))[0] == 200
    assert len(house.log_lines) - lines <= 3
