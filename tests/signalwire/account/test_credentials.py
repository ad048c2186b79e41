"""Where tokens come from, and what is said when they do not."""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from intercom.signalwire import (
    CommandCredentials,
    EndpointCredentials,
    InvalidCredentialsError,
    InvalidParamsError,
    SpaceCredentials,
    StaticCredentials,
    TokenFileCredentials,
)
from intercom.signalwire.account.access_token import Hosts, credential_from, hosts_of
from intercom.signalwire.account.http import MAX_RESPONSE_BYTES, request_json
from intercom.signalwire.errors import HttpError


def jwt(header: dict[str, Any], payload: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)]
    return ".".join([*parts, "signature"])


async def at_once(_: float) -> None:
    """Sleep without time."""


@pytest.fixture
async def server() -> AsyncIterator[Callable[..., Any]]:
    """Serve one handler under every path; gives its URL."""
    runners: list[web.AppRunner] = []

    async def serve(handler: Callable[[web.Request], Any]) -> str:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(application)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()


def test_a_project_s_api_token_is_never_taken_for_a_subscriber_s() -> None:
    with pytest.raises(InvalidCredentialsError, match="API token of a whole project"):
        credential_from("PT0123456789abcdef0123456789abcdef0123456789abcdef\n", "The file")


async def test_a_credential_that_the_space_has_not_written_yet_names_the_space(tmp_path: Path) -> None:
    with pytest.raises(InvalidCredentialsError, match="`intercom space`"):
        await SpaceCredentials(tmp_path / "door.json").authenticate()


async def test_a_static_token_knows_when_it_ends() -> None:
    token = jwt({}, {"exp": 1234})
    assert (await StaticCredentials(token).authenticate()).expires_at == 1234
    assert (await StaticCredentials("opaque").authenticate()).expires_at is None


def test_a_token_that_is_none_is_refused_and_not_quoted() -> None:
    with pytest.raises(InvalidCredentialsError) as refused:
        StaticCredentials("two words")
    assert "two words" not in str(refused.value)


async def test_a_credential_does_not_show_its_token() -> None:
    assert "secret" not in repr(credential_from("secret", "The file"))


async def test_a_token_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    credentials = TokenFileCredentials(path)
    assert (await credentials.authenticate()).token == "first"
    assert not credentials.changed()
    path.write_text('{"token": "second", "expires_at": 9}')
    os.utime(path, ns=(1, 1))
    assert credentials.changed()
    renewed = await credentials.authenticate()
    assert (renewed.token, renewed.expires_at) == ("second", 9)
    path.unlink()
    with pytest.raises(InvalidCredentialsError, match="cannot be read"):
        await credentials.authenticate()


async def test_a_command_is_given_the_fingerprint_and_prints_the_token() -> None:
    program = "import os; print('for-' + os.environ['DPOP_FINGERPRINT'])"
    assert (await CommandCredentials([sys.executable, "-c", program]).authenticate("key")).token == "for-key"


async def test_a_command_that_fails_hangs_or_is_missing_is_said() -> None:
    with pytest.raises(HttpError, match="status 3"):
        await CommandCredentials([sys.executable, "-c", "raise SystemExit(3)"]).authenticate()
    with pytest.raises(HttpError, match="within"):
        await CommandCredentials(["sleep", "60"], timeout_s=0.2).authenticate()
    with pytest.raises(InvalidCredentialsError, match="cannot be started"):
        await CommandCredentials(["/no/such/program"]).authenticate()
    with pytest.raises(InvalidParamsError):
        CommandCredentials([])


async def test_an_endpoint_of_the_owners_gives_the_token(server: Callable[..., Any]) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["X-Key"] == "owner"
        fingerprint = (await request.json())["fingerprint"]
        return web.json_response({"token": f"for-{fingerprint}", "expires_at": 77})

    credentials = EndpointCredentials(await server(handler), headers={"X-Key": "owner"})
    credential = await credentials.authenticate("key")
    assert (credential.token, credential.expires_at) == ("for-key", 77)


async def test_a_pairing_that_was_undone_says_so(tmp_path: Path, server: Callable[..., Any]) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/api/space/token"
        known = request.headers["Authorization"] == "Bearer known"
        return web.json_response({"token": "t", "expires_at": 5} if known else {}, status=200 if known else 401)

    path = tmp_path / "door.json"
    url = await server(handler)
    file = {"api_url": url, "relay_url": "ws://localhost:1", "subscriber": "door", "device_secret": "known"}
    path.write_text(json.dumps({**file, "certificate": None}))
    credentials = SpaceCredentials(path)
    assert credentials.hosts == Hosts("ws://localhost:1", url, None)
    assert (await credentials.authenticate()).token == "t"
    path.write_text(json.dumps({**file, "device_secret": "revoked"}))
    with pytest.raises(InvalidCredentialsError) as refused:
        await credentials.authenticate()
    assert "revoked" not in str(refused.value)
    path.write_text("{}")
    with pytest.raises(InvalidCredentialsError, match="pair"):
        await credentials.authenticate()


@pytest.mark.parametrize("ahead_s", [-1e9, 0.0, 1e9])
async def test_a_spaces_token_lasts_as_long_as_it_says_whatever_our_clock_shows(
    server: Callable[..., Any], tmp_path: Path, ahead_s: float
) -> None:
    async def space(_: web.Request) -> web.Response:
        return web.json_response({"token": jwt({}, {"iat": 1000, "exp": 4600}), "expires_at": 4600})

    file = {"api_url": (await server(space)).removesuffix("/"), "relay_url": "ws://localhost:1", "device_secret": "s"}
    path = tmp_path / "door.json"
    path.write_text(json.dumps(file))
    credentials = SpaceCredentials(path, wall_clock=lambda: 1000 + ahead_s)
    assert (await credentials.authenticate()).expires_at == 4600 + ahead_s


def test_a_tokens_header_says_where_it_is_good_for() -> None:
    assert hosts_of(jwt({"ch": "puc.example.com:8443"}, {})) == Hosts(
        "wss://puc.example.com:8443", "https://fabric.example.com:8443"
    )
    odd = [
        "a..b",
        "puc.example.com/x@evil.example",
        "puc.example.com:port",
        "\ud800.example",
        ".com",
        "puc.example.com\n",
    ]
    for token in ("opaque", jwt({"ch": 5}, {}), "....", "é.x", *(jwt({"ch": channel}, {}) for channel in odd)):
        assert hosts_of(token) == Hosts("wss://puc.signalwire.com", "https://fabric.signalwire.com")


async def test_http_tries_again_when_the_server_is_at_fault(server: Callable[..., Any]) -> None:
    answers = [503, 500, 200]

    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"fine": True}, status=answers.pop(0))

    assert await request_json("GET", await server(handler), sleep=at_once) == {"fine": True}


@pytest.mark.parametrize(
    ("response", "status", "says"),
    [
        ({"status": 404}, 404, "404"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, 302, "302"),
        ({"text": "<html>"}, 0, "not JSON"),
        ({"body": b" " * (MAX_RESPONSE_BYTES + 1)}, 0, "more than"),
    ],
)
async def test_http_says_what_was_wrong_with_an_answer(
    server: Callable[..., Any], response: dict[str, Any], status: int, says: str
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(**response)

    with pytest.raises(HttpError, match=says) as failed:
        await request_json("GET", await server(handler), bearer="secret", sleep=at_once)
    assert failed.value.status == status
    assert "secret" not in str(failed.value)


async def test_whoever_asks_this_machine_in_the_clear_waits_for_no_certificates(
    server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({})

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: pytest.fail("reads them"))
    assert await request_json("GET", await server(handler), sleep=at_once) == {}


async def test_a_token_never_travels_in_the_clear() -> None:
    with pytest.raises(InvalidParamsError, match="https"):
        await request_json("GET", "http://example.com/", bearer="secret")
