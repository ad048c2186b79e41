"""A space behind nginx, configured as docs/reverse-proxy.md says, and what a proxy may say."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.http import sockets
from intercom.space.http.proxies import Asker, Proxies
from intercom.space.http.request_filter import Guard
from intercom.space.names import network_names
from tests.space.conftest import Client
from tests.space.nginx import PROGRAM, below_a_path, ingress, nginx

needs_nginx = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (apt install nginx-light)")


@pytest.fixture
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A space on loopback that trusts a proxy there."""
    running = Space(SpaceConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",)), tmp_path / "state")
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def url(space: Space, tmp_path: Path) -> AsyncIterator[str]:
    """Where nginx serves it."""
    async with nginx(tmp_path / "nginx", space.port) as port:
        yield f"https://localhost:{port}"


def browser(address: str = "127.0.0.1") -> aiohttp.ClientSession:
    """What runs on the machine with this address; it trusts any certificate."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, family=2, local_addr=(address, 0)))


@needs_nginx
async def test_the_page_is_told_the_proxys_socket_and_may_connect_to_it(url: str) -> None:
    socket = f"wss{url.removeprefix('https')}"
    async with browser() as http:
        async with http.get(f"{url}/api/space/hello", headers={"Origin": url}) as answer:
            assert await answer.json() == {"relay_url": f"{socket}/"}
        async with http.get(f"{url}/station/") as answer:
            assert f"connect-src 'self' {socket};" in answer.headers["Content-Security-Policy"]


@needs_nginx
async def test_a_phone_pairs_and_registers_through_the_proxy(space: Space, url: str) -> None:
    async with browser() as http:
        body = {"code": space.invite().code, "name": "Phone"}
        async with http.post(f"{url}/api/space/pair", json=body, headers={"Origin": url}) as answer:
            secret = (await answer.json())["device_secret"]
        headers = {"Authorization": f"Bearer {secret}", "Origin": url}
        async with http.post(f"{url}/api/space/token", headers=headers) as answer:
            token = (await answer.json())["token"]
        async with http.post(f"{url}/api/space/pairing", headers=headers) as answer:
            assert (await answer.json())["url"].startswith(f"{url}/station/#")
        client = Client(await http.ws_connect(f"{url}/", headers={"Origin": url}))
        assert "result" in await client.connect(token)
        await client.close()


@needs_nginx
async def test_below_a_path_everything_that_is_handed_out_has_the_path(tmp_path: Path) -> None:
    config = SpaceConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",), public_url="https://localhost/door")
    space = Space(config, tmp_path / "state")
    await space.start()
    try:
        async with nginx(tmp_path / "nginx", space.port, changed=below_a_path(space.port)) as port, browser() as http:
            url = f"https://localhost:{port}/door"
            async with http.get(f"{url}/api/space/hello") as answer:
                assert await answer.json() == {"relay_url": f"wss://localhost:{port}/door/"}
            for asked in (f"{url}/", f"{url}/station"):
                async with http.get(asked) as answer:
                    assert str(answer.url) == f"{url}/station/"
                    assert f"connect-src 'self' wss://localhost:{port};" in answer.headers["Content-Security-Policy"]
            assert space.invite().url.startswith("https://localhost/door/station/#")
    finally:
        await space.stop()


@needs_nginx
async def test_below_a_path_that_only_the_proxy_knows_everything_has_the_path(space: Space, tmp_path: Path) -> None:
    async with nginx(tmp_path / "nginx", space.port, changed=ingress(space.port)) as port, browser() as http:
        url = f"https://localhost:{port}/door"
        async with http.get(f"{url}/api/space/hello") as answer:
            assert await answer.json() == {"relay_url": f"wss://localhost:{port}/door/"}
        async with http.get(f"{url}/") as answer:
            assert str(answer.url) == f"{url}/station/"


@pytest.mark.parametrize("header", ["X-Ingress-Path", "X-Forwarded-Prefix"])
def test_a_proxy_s_word_about_the_path_counts_before_the_public_address_and_nobody_else_s(header: str) -> None:
    request = make_mocked_request("GET", "/", headers={"Host": "example.com", header: "/api/hassio_ingress/a-b_c/"})
    proxies = Proxies(["10.0.0.1"], "https://example.com/door/")
    assert proxies.asker(request.clone(remote="10.0.0.1")).path == "/api/hassio_ingress/a-b_c"
    assert proxies.asker(request.clone(remote="10.0.0.2")).path == ""


@pytest.mark.parametrize("headers", [{}, {"Host": "another.localhost"}, {"X-Forwarded-Host": "another.localhost"}])
def test_the_path_is_that_of_the_public_host_behind_the_proxy_alone(headers: dict[str, str]) -> None:
    request = make_mocked_request("GET", "/", headers={"Host": "example.com", **headers})
    proxies = Proxies(["10.0.0.1"], "https://example.com/door/")
    expected = "" if headers else "/door"
    assert proxies.asker(request.clone(remote="10.0.0.1")).path == expected
    assert proxies.asker(request.clone(remote="10.0.0.2")).path == ""


@needs_nginx
async def test_a_socket_on_which_nobody_speaks_outlives_the_proxys_patience(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the proxy's time far shorter than 60 s; within half of the space's the far end has to answer."""
    assert sockets.HEARTBEAT_S * 2 < 60
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 8.0)
    impatient = {"proxy_http_version 1.1;": "proxy_http_version 1.1; proxy_read_timeout 12s;"}
    async with nginx(tmp_path / "nginx", space.port, changed=impatient) as port, browser() as http:
        client = Client(await http.ws_connect(f"https://localhost:{port}/"))
        await client.connect(space.tokens.issue(space.store.add_subscriber("kitchen"))[0])
        await asyncio.wait({client.reader}, timeout=13)
        assert not client.socket.closed
        await client.close()


@needs_nginx
async def test_guesses_through_the_proxy_are_counted_for_the_machine_that_guesses(space: Space, url: str) -> None:
    pair = f"{url}/api/space/pair"
    async with browser("127.0.0.2") as guesser, browser("127.0.0.3") as phone:
        status = 401
        async with asyncio.timeout(60):
            while status == 401:
                async with guesser.post(pair, json={"code": "00000-00000"}) as answer:
                    status = answer.status
        assert status == 429
        async with phone.post(pair, json={"code": space.invite().code}) as answer:
            assert answer.status == 201


@needs_nginx
async def test_a_proxy_that_is_not_named_is_told_of_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state")
    await space.start()
    try:
        async with nginx(tmp_path / "nginx", space.port) as port, browser() as http:
            for _ in range(3):
                async with http.get(f"https://localhost:{port}/api/space/hello") as answer:
                    assert (await answer.json())["relay_url"].startswith("ws://")
    finally:
        await space.stop()
    (line,) = [record.getMessage() for record in caplog.records if "proxy" in record.getMessage()]
    assert 'space.trusted_proxies = ["127.0.0.1"]' in line


async def test_without_tls_of_its_own_it_serves_the_network_through_the_proxy_only() -> None:
    guard = Guard(network_names, Proxies(["10.0.0.1"]), only_proxied=True, now=lambda: 0.0)

    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    statuses = {}
    for peer in ("10.0.0.1", "192.0.2.1", "127.0.0.1"):
        request = make_mocked_request("GET", "/", headers={"Host": "localhost"}).clone(remote=peer)
        statuses[peer] = (await guard.middleware(request, answer)).status
    assert statuses == {"10.0.0.1": 200, "192.0.2.1": 403, "127.0.0.1": 200}


# What a proxy may say


def asker(headers: dict[str, str], *, peer: str = "10.0.0.1", trusted: tuple[str, ...] = ("10.0.0.0/24",)) -> Asker:
    request = make_mocked_request("GET", "/", headers={"Host": "space.local:8480", **headers})
    return Proxies(trusted).asker(request.clone(remote=peer))


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "10.0.0.1"),
        ("nonsense", "10.0.0.1"),
        ("192.0.2.1, nonsense", "10.0.0.1"),
    ],
)
def test_the_last_machine_that_is_no_trusted_proxy_asks(forwarded_for: str, address: str) -> None:
    assert asker({"X-Forwarded-For": forwarded_for}).address == address


def test_what_anybody_else_says_is_not_believed() -> None:
    headers = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    assert asker(headers, peer="192.0.2.1") == Asker("192.0.2.1", "http", "space.local", 8480, forwarded=False)


def test_the_proxys_name_and_scheme_are_handed_out() -> None:
    headers = {"X-Forwarded-Host": "Door.Example.com", "X-Forwarded-Proto": "https"}
    assert asker(headers).socket_url == "wss://door.example.com/"


@pytest.mark.parametrize("headers", [{"X-Forwarded-Proto": "javascript"}, {"X-Forwarded-Host": "a;b"}])
def test_what_no_proxy_would_say_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"no (scheme|host)"):
        asker(headers)
