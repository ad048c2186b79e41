"""A push service that is slow, down, lies or refuses: over real sockets, without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime

import aiohttp
import pytest

from intercom.space.push import sender as module
from intercom.space.push.sender import PAUSE_FIRST_S, PAUSE_LAST_S, Outcome, Push, Sender
from intercom.space.push.services import PushServices
from intercom.space.push.subscriptions import Subscription
from intercom.space.push.vapid import Vapid, new_key
from tests.space.push.browser_keys import BrowserKeys
from tests.space.push.service import Answer, PushService, hangs_up, never, push_service, says

NOON = 1_800_000_000.0
RING = Push(b'{"kind":"ring"}', "press1", ttl_s=60, patience_s=60.0)


class Time:
    """The time, which passes only in pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


class Bench:
    """A sender, its service and one subscription."""

    def __init__(self, service: PushService) -> None:
        self.service = service
        self.time = Time()
        self.keys = BrowserKeys()
        self.sender = Sender(
            Vapid(new_key(), "", now=lambda: NOON),
            PushServices([service.authority]),
            now=lambda: self.time.now,
            wall=lambda: NOON,
            pause=self.time.pause,
        )

    async def send(self, push: Push = RING, endpoint: str = "") -> Outcome:
        endpoint = endpoint or self.service.endpoint("phone")
        keys = self.keys.subscription(endpoint)["keys"]
        return await self.sender.send(Subscription("device", "anna", "Anna", endpoint, **keys), push)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with push_service() as service:
        bench = Bench(service)
        yield bench
        await bench.sender.close()


async def test_a_service_is_told_what_rfc_8030_and_8292_ask_for(bench: Bench) -> None:
    assert await bench.send() == Outcome("accepted")
    arrived = await bench.service.push(1)
    headers = {name.lower(): value for name, value in arrived.headers.items()}
    assert headers["authorization"].startswith("vapid t=")
    assert [headers[name] for name in ("ttl", "topic", "urgency", "content-encoding")] == [
        "60",
        "press1",
        "high",
        "aes128gcm",
    ]
    assert bench.keys.read(arrived.body) == RING.text


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_its_service_forgot_is_gone(bench: Bench, status: int) -> None:
    bench.service.answers = [says(status)]
    outcome = await bench.send()
    assert (outcome.fate, outcome.attempts) == ("gone", 1)
    assert str(status) in outcome.told


@pytest.mark.parametrize("status", [301, 400, 401, 403, 413])
async def test_a_refusal_is_not_asked_for_twice(bench: Bench, status: int) -> None:
    bench.service.answers = [says(status, Location="http://router/")]
    outcome = await bench.send()
    assert (outcome.fate, outcome.attempts, len(bench.service.arrived)) == ("refused", 1, 1)


@pytest.mark.parametrize("answer", [says(500), says(503), says(429), hangs_up])
async def test_a_service_in_trouble_is_asked_again(bench: Bench, answer: Answer) -> None:
    bench.service.answers = [answer, answer]
    outcome = await bench.send()
    assert (outcome.fate, outcome.attempts) == ("accepted", 3)
    assert bench.time.pauses[0] <= PAUSE_FIRST_S
    assert bench.time.pauses[1] <= 2 * PAUSE_FIRST_S


async def test_a_service_that_stays_in_trouble_is_left_when_the_ring_is_over(bench: Bench) -> None:
    bench.service.answers = [says(500)] * 100
    outcome = await bench.send()
    assert outcome.fate == "given up"
    assert "500" in outcome.told
    assert bench.time.now <= RING.patience_s
    assert max(bench.time.pauses) <= PAUSE_LAST_S


async def test_a_service_says_when_it_may_be_asked_again(bench: Bench) -> None:
    date = format_datetime(datetime.fromtimestamp(NOON + 11, UTC), usegmt=True)
    bench.service.answers = [says(429, Retry_After="7"), says(503, Retry_After=date)]
    assert (await bench.send()).fate == "accepted"
    assert bench.time.pauses == [7.0, 11.0]


@pytest.mark.parametrize("said", ["100000000000", "999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_service_that_asks_for_years_gets_no_wait(bench: Bench, said: str) -> None:
    bench.service.answers = [says(429, Retry_After=said)] * 100
    outcome = await bench.send(Push(b"", "t", ttl_s=1, patience_s=0.3))
    assert (outcome.fate, bench.time.pauses) == ("given up", [])


async def test_a_service_that_never_answers_is_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPT", aiohttp.ClientTimeout(total=0.2))
    bench.service.answers = [never]
    outcome = await bench.send()
    assert outcome.fate == "accepted"
    assert outcome.attempts >= 2


async def test_a_service_that_is_down_is_not_reached(bench: Bench) -> None:
    nowhere = PushServices(["127.0.0.1:1"])
    bench.sender._services = nowhere
    outcome = await bench.send(endpoint="http://127.0.0.1:1/phone")
    assert outcome.fate == "given up"
    assert "not reached" in outcome.told


async def test_a_service_that_talks_nonsense_gets_no_endpoint_into_the_log(bench: Bench) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 what was the question\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        bench.sender._services = PushServices([place])
        outcome = await bench.send(endpoint=f"http://{place}/marked")
    assert (outcome.fate, "not understood" in outcome.told, "marked" in outcome.told) == ("given up", True, False)


async def test_a_service_that_is_not_there_in_time_gets_no_endpoint_into_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPT", aiohttp.ClientTimeout(connect=1e-9))
    outcome = await bench.send(endpoint=bench.service.endpoint("marked"))
    assert (outcome.fate, outcome.told) == ("given up", "the push service does not answer in time")


async def test_a_server_that_the_owner_took_out_gets_nothing_more(bench: Bench) -> None:
    bench.sender._services = PushServices(())
    outcome = await bench.send()
    assert (outcome.fate, bench.service.arrived) == ("refused", [])


async def test_a_service_that_hangs_holds_up_no_other(bench: Bench) -> None:
    async with push_service() as healthy:
        bench.sender._services = PushServices([bench.service.authority, healthy.authority])
        bench.service.answers = [never] * 50
        stuck = [asyncio.create_task(bench.send()) for _ in range(50)]
        await bench.service.push(1)
        assert (await bench.send(endpoint=healthy.endpoint("phone"))).fate == "accepted"
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_name_that_leads_into_the_house_is_not_connected_to(bench: Bench) -> None:
    bench.sender._services = _Everybody(())
    outcome = await bench.send(endpoint=f"http://localhost:{bench.service.port}/phone")
    assert (outcome.fate, outcome.attempts, bench.service.arrived) == ("refused", 1, [])
    assert "no address in the internet" in outcome.told


class _Everybody(PushServices):
    """Services as they were checked when a device subscribed: since then the name has another address."""

    def check(self, endpoint: str) -> str:
        return endpoint
