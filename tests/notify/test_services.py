"""Messages that real services took, and what is said of those that did not: ntfy, a mail server, a web hook."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from intercom.notify.message import Order, Outcome
from intercom.notify.process import deliver, faults_of
from tests.notify import ntfy

pytest.importorskip("apprise", reason="apprise is not installed: pip install 'intercom[notify]'")

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 200 + b"\xff\xd9"
LINK = "https://door.example:8443/station/"
SECRET = "marked-secret"
WAIT_S = 60.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a service the time to answer that it needs on this machine's busy processors and slow disk."""
    from apprise.plugins.base import NotifyBase

    monkeypatch.setattr(NotifyBase, "socket_connect_timeout", WAIT_S)
    monkeypatch.setattr("intercom.notify.sending.READ_TIMEOUT_S", WAIT_S)


def order_of(url: str, **more: Any) -> Order:
    return msgspec.structs.replace(Order(url=url, title="Somebody is at the door", body="Somebody rings."), **more)


async def send(url: str, **more: Any) -> Outcome:
    """Send a message as the door's process does, but in this one."""
    from intercom.notify import sending

    asked = msgspec.json.encode(order_of(url, **more))
    return msgspec.json.decode(await asyncio.to_thread(sending.send, asked), type=Outcome)


async def send_by_process(url: str, **more: Any) -> Outcome:
    """Send a message through the process that the door uses."""

    async def ready() -> Order:
        return order_of(url, **more)

    return await deliver(url.partition("://")[0], ready, limit_s=150.0)


# -- ntfy ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ntfy_command() -> list[str]:
    return ntfy.command()


async def test_ntfy_shows_who_rings_with_a_button_that_opens_the_page(ntfy_command: list[str], tmp_path: Path) -> None:
    async with ntfy.running(ntfy_command, tmp_path) as server:
        url = f"ntfy://127.0.0.1:{server.port}/door?cto={WAIT_S}&rto={WAIT_S}"
        assert await send_by_process(url, picture=JPEG, link=LINK, urgent=True, tag="abc") == Outcome(arrived=True)
        (message,) = await server.messages("door")
        assert (message["title"], message["message"]) == ("Somebody is at the door", "Somebody rings.")
        assert message["click"] == LINK
        assert [(action["label"], action["url"]) for action in message["actions"]] == [("Open the page", LINK)]
        assert "icon" not in message
        assert await server.file(message) == JPEG


async def test_a_ring_is_loud_on_ntfy_and_what_became_of_it_is_not(ntfy_command: list[str], tmp_path: Path) -> None:
    async with ntfy.running(ntfy_command, tmp_path) as server:
        url = f"ntfy://127.0.0.1:{server.port}/door"
        await send(url, urgent=True)
        await send(url, urgent=False)
        await send(f"{url}?priority=max", urgent=True)
        assert [message["priority"] for message in await server.messages("door")] == [4, 2, 5]


async def test_a_server_that_takes_no_pictures_gets_the_message_alone(ntfy_command: list[str], tmp_path: Path) -> None:
    async with ntfy.running(ntfy_command, tmp_path, attachments=False) as server:
        outcome = await send(f"ntfy://127.0.0.1:{server.port}/door", picture=JPEG)
        assert outcome.arrived
        assert outcome.why.startswith("without the picture")
        assert [message["message"] for message in await server.messages("door")] == ["Somebody rings."]


# -- e-mail ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def mail_server(took: list[Mail]) -> AsyncIterator[int]:
    """Run a real mail server, and yield its port."""
    smtp = pytest.importorskip("aiosmtpd.smtp", reason="aiosmtpd is not installed: ./setup.sh --test")

    class Mailbox:
        async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
            took.append(message_from_bytes(envelope.content))
            return "250 OK"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: smtp.SMTP(Mailbox(), hostname="door", loop=loop), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_mail_has_the_picture_and_the_link() -> None:
    took: list[Mail] = []
    async with mail_server(took) as port:
        url = f"mailto://127.0.0.1:{port}?from=door@example.com&to=anna@example.com&mode=insecure"
        assert await send(url, picture=JPEG, link=LINK) == Outcome(arrived=True)
    (mail,) = took
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()}
    assert mail["Subject"] == "Somebody is at the door"
    assert parts["image/jpeg"] == JPEG
    assert any(LINK.encode() in content for kind, content in parts.items() if kind.startswith("text/"))


# -- services that do not do what they should ------------------------------------------------------------

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def web_hook(answer: Answer) -> AsyncIterator[str]:
    """Run a web hook that answers so, and yield its URL for apprise, which holds a secret."""

    async def anything(request: web.Request) -> web.StreamResponse:
        return await answer(request)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", anything)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"json://door:{SECRET}@127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "again"),
    [
        *((refused, False) for refused in (301, 400, 401, 403, 404, 410)),
        *((busy, True) for busy in (408, 429, 500, 503)),
    ],
)
async def test_what_a_service_answers_is_said_with_its_number(status: int, again: bool) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=f"no: {SECRET}", headers={"Location": "http://127.0.0.1:9/"})

    async with web_hook(answer) as url:
        outcome = await send(url)
    assert not outcome.arrived
    assert outcome.again is again
    assert f"({status})" in outcome.why
    assert SECRET not in outcome.why


async def test_a_service_says_when_to_come_again() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "37"})

    async with web_hook(answer) as url:
        assert (await send(url)).after_s == 37.0


async def test_a_service_cannot_send_a_message_elsewhere() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with web_hook(answer) as url:
        assert not (await send(url)).arrived
    assert asked == ["/hook"]


async def test_a_service_that_answers_without_end_fills_no_more_than_its_process_may_take() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1024 * 1024))

    async with web_hook(answer) as url:
        outcome = await send_by_process(url)
    assert outcome == Outcome(arrived=False, why="it answered with more than fits into the memory", again=True)


async def test_a_service_that_speaks_another_language_is_no_defect() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n")
        writer.write(b"\x00\xff" * 2000)
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await send(f"json://127.0.0.1:{port}/")
    assert not outcome.arrived
    assert outcome.again


async def test_an_address_where_nothing_listens_is_said() -> None:
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    assert await send(f"json://127.0.0.1:{port}/") == Outcome(arrived=False, why="nothing listens there", again=True)


async def test_a_service_whose_certificate_nobody_vouches_for_is_sent_nothing(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await send(f"jsons://door:{SECRET}@127.0.0.1:{port}/")
    assert outcome == Outcome(arrived=False, why="its certificate is not trusted, or not for this name")
    assert b"".join(heard) == b""


# -- what apprise makes of a URL ------------------------------------------------------------------------


async def test_a_url_that_no_service_understands_is_told_before_it_is_needed() -> None:
    understood, unknown, half = await faults_of(["ntfy://ntfy.example/door", f"nfty://{SECRET}/door", "tgram://"])
    assert understood == ""
    assert unknown == half
    assert unknown.startswith("apprise does not understand its url")


@pytest.mark.parametrize("scheme", ["tgram", "pover", "signal", "slack", "discord", "gotify", "matrix", "mailto"])
def test_what_is_loaded_alone_is_what_apprise_would_take(scheme: str) -> None:
    from apprise import Apprise  # noqa: F401 - it has to be loaded before its plugins
    from apprise.manager_plugins import NotificationManager

    from intercom.notify import sending

    assert sending._alone(scheme) is NotificationManager()[scheme]
