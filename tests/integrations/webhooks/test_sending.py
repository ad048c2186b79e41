"""One attempt at a receiver that answers as no library would: bounded in time and bytes, and told in words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from intercom.integrations.webhooks import sending
from intercom.integrations.webhooks.sending import ANSWER_LIMIT_BYTES, Sender
from tests.integrations.mqtt.certificates import Authority
from tests.liars.receiver import LyingReceiver, ReceiverLie

BODY = b'{"id": "1"}'


@asynccontextmanager
async def receiver(lie: ReceiverLie | None = None) -> AsyncIterator[LyingReceiver]:
    one = LyingReceiver()
    one.lie = lie
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@asynccontextmanager
async def answering(*chunks: bytes) -> AsyncIterator[tuple[str, asyncio.Future[bytes]]]:
    """A receiver that answers with these bytes; yields its address, and what it was sent."""
    asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set_result(await reader.readuntil(BODY))
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()


async def test_a_delivery_is_one_request_with_all_that_http_wants() -> None:
    async with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as (place, asked):
        outcome = await Sender(f"http://{place}/hook/a?b=c", "").post(BODY, {"webhook-id": "1"})
        head, _, body = (await asked).decode().partition("\r\n\r\n")
    assert outcome.arrived
    assert body.encode() == BODY
    first, *lines = head.split("\r\n")
    assert first == "POST /hook/a?b=c HTTP/1.1"
    assert {f"Host: {place}", "webhook-id: 1", f"Content-Length: {len(BODY)}", "Connection: close"} <= set(lines)


async def test_a_url_that_is_only_a_place_is_asked_at_its_root() -> None:
    async with answering(b"HTTP/1.0 200 OK\r\n\r\n") as (place, asked):
        assert (await Sender(f"http://{place}", "").post(BODY, {})).arrived
        assert (await asked).startswith(b"POST / HTTP/1.1\r\n")


async def test_an_answer_that_comes_in_pieces_and_after_a_promise_is_one() -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nretry-after:  7 \r\n\r\n"
    async with answering(*(answer[place : place + 1] for place in range(len(answer)))) as (place, _):
        outcome = await Sender(f"http://{place}/", "").post(BODY, {})
    assert (outcome.arrived, outcome.again, outcome.after_s) == (False, True, 7.0)
    assert outcome.why == "the receiver says 503 Service Unavailable"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n", b"HTTP/1.0 200\n\r\n"])
async def test_a_small_program_that_ends_its_lines_without_a_carriage_return_took_the_delivery(answer: bytes) -> None:
    async with answering(*(answer[place : place + 1] for place in range(len(answer)))) as (place, _):
        assert (await Sender(f"http://{place}/", "").post(BODY, {})).arrived


@pytest.mark.parametrize("lie", [ReceiverLie.BABBLES, ReceiverLie.PROMISES, ReceiverLie.RUBBISH, ReceiverLie.CLOSES])
async def test_who_says_much_and_no_answer_is_left_without_waiting(
    lie: ReceiverLie, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S", 120.0)  # what ends the attempt is what it is sent
    async with receiver(lie) as liar:
        outcome = await Sender(liar.url, "").post(BODY, {})
    assert (outcome.arrived, outcome.again) == (False, True)
    assert outcome.why.startswith("not understood")


async def test_of_an_answer_no_more_than_its_limit_is_kept() -> None:
    reader = asyncio.StreamReader(limit=ANSWER_LIMIT_BYTES)
    promise = b"HTTP/1.1 100 Continue\r\n\r\n"
    reader.feed_data(promise * 10_000)
    with pytest.raises(ValueError, match="too long"):
        await sending._answer(reader)
    assert len(await reader.read(10**6)) > len(promise) * 9_000, "what it read of them"


@pytest.mark.parametrize("lie", [ReceiverLie.HANGS, ReceiverLie.DEAF, ReceiverLie.DRIPS])
async def test_who_does_not_answer_in_time_is_left(lie: ReceiverLie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S", 0.5)
    async with receiver(lie) as liar:
        outcome = await Sender(liar.url, "").post(b"{}" + b" " * 10_000_000, {})
    assert outcome.why == "no answer in time"


async def test_a_body_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S", 120.0)
    async with receiver(ReceiverLie.TALKS) as liar:
        assert (await Sender(liar.url, "").post(BODY, {})).arrived


async def test_a_receiver_of_the_house_s_own_ca_is_trusted_and_no_other(tmp_path: Path) -> None:
    house, stranger = Authority(tmp_path / "house"), Authority(tmp_path / "stranger", "Stranger")

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*house.signs("receiver"))
    async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        assert (await Sender(url, str(house.file)).post(BODY, {})).arrived
        refused = await Sender(url, str(stranger.file)).post(BODY, {})
    assert refused.why == "the receiver's certificate is not trusted"
