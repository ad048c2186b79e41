"""Programs are told by an HTTP POST what happens at the door, signed and with a picture."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from standardwebhooks import Webhook, WebhookVerificationError

from intercom.config import WebhookConfig
from intercom.config.webhooks import FACTS
from intercom.control.errors import RefusedError
from intercom.control.protocol import METHOD_NOT_FOUND
from intercom.door.health.faults import Part
from intercom.facts import NAMES, DoorOpened, Pressed
from intercom.history.families import text
from intercom.history.journal import Entry
from intercom.integrations.access import Program
from intercom.integrations.webhooks.signature import signature
from intercom.integrations.webhooks.webhooks import CATCH_UP_S, Webhooks
from intercom.opening.decision import Way
from tests.integrations.stage import PICTURE, Stage
from tests.integrations.webhooks.receiver import LIMIT_S, Receiver, receiver
from tests.ports import reserved_port

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRESS = Pressed("/private/house")
SOMEBODY = Program("test", Way.CONTROL)


@pytest_asyncio.fixture
async def taker() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@asynccontextmanager
async def webhooks(stage: Stage, *entries: WebhookConfig) -> AsyncIterator[Webhooks]:
    """Start the webhooks of these entries."""
    one = Webhooks(entries, stage.access)
    await one.start()
    try:
        yield one
    finally:
        stage.access.close()
        await one.stop()
    assert stage.defects == []


@pytest.fixture
def stage() -> Stage:
    return Stage(Part.WEBHOOKS)


async def test_a_fact_is_posted_as_json(stage: Stage, taker: Receiver) -> None:
    async with webhooks(stage, WebhookConfig(url=taker.url)):
        stage.tell(DoorOpened("Anna"))
        came = await taker.next()
    assert came.headers["Content-Type"] == "application/json"
    assert (came.content["type"], came.content["data"]) == ("door_opened", {"by": "Anna"})
    assert came.content["id"] == came.headers["webhook-id"]


async def test_a_fact_that_is_not_wanted_is_not_told(stage: Stage, taker: Receiver) -> None:
    async with webhooks(stage, WebhookConfig(url=taker.url, events=("pressed",))):
        stage.tell(DoorOpened("Anna"), PRESS)
        assert (await taker.next()).content["type"] == "pressed"
    assert taker.received.empty()


async def test_the_receivers_own_library_finds_the_signature_good(stage: Stage, taker: Receiver) -> None:
    async with webhooks(stage, WebhookConfig(url=taker.url, secret=KEY)):
        stage.tell(PRESS)
        came = await taker.next()
    assert Webhook(KEY).verify(came.body, came.headers)["type"] == "pressed"
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(came.body.replace(b"pressed", b"missed!"), came.headers)


def test_the_signature_is_that_of_the_specification() -> None:
    body = b'{"test": 2432232314}'
    expected = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


async def test_the_picture_of_who_rings_goes_with_the_press(stage: Stage, taker: Receiver) -> None:
    async with webhooks(stage, WebhookConfig(url=taker.url, picture=True)):
        stage.tell(PRESS)
        assert base64.b64decode((await taker.next()).content["picture"]) == PICTURE


async def test_without_a_camera_the_press_goes_without_a_picture(stage: Stage, taker: Receiver) -> None:
    stage.picture = None
    async with webhooks(stage, WebhookConfig(url=taker.url, picture=True)):
        stage.tell(PRESS)
        assert (await taker.next()).content["picture"] is None


async def test_a_receiver_that_was_down_gets_it_with_the_same_id(
    stage: Stage, taker: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.integrations.webhooks.hook.FIRST_PAUSE_S", 0.0)
    taker.statuses = [503]
    async with webhooks(stage, WebhookConfig(url=taker.url)):
        stage.tell(PRESS)
        first, second = await taker.next(), await taker.next()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_the_figures_say_what_became_of_the_deliveries(
    stage: Stage, taker: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.integrations.webhooks.hook.FIRST_PAUSE_S", 0.0)
    taker.statuses = [503, 204, 404]
    async with webhooks(stage, WebhookConfig(url=taker.url, name="shed", events=("pressed",))) as one:
        stage.tell(PRESS, PRESS)
        assert 'intercom_webhook_waiting{name="shed"} 2' in lines(one)
        async with asyncio.timeout(LIMIT_S):
            while 'intercom_webhook_waiting{name="shed"} 0' not in lines(one):
                await asyncio.sleep(0.01)
        assert {
            'intercom_webhook_deliveries_total{name="shed",fate="arrived"} 1',
            'intercom_webhook_deliveries_total{name="shed",fate="refused"} 1',
            'intercom_webhook_deliveries_total{name="shed",fate="late"} 0',
            'intercom_webhook_deliveries_total{name="shed",fate="dropped"} 0',
            'intercom_webhook_retries_total{name="shed"} 1',
        } <= set(lines(one))


def lines(webhooks: Webhooks) -> list[str]:
    return text(webhooks.figures()).splitlines()


async def test_a_receiver_that_hangs_delays_no_other(stage: Stage, taker: Receiver) -> None:
    async with receiver() as stuck:
        stuck.hangs = True
        entries = (WebhookConfig(url=stuck.url, name="stuck"), WebhookConfig(url=taker.url, name="well"))
        async with webhooks(stage, *entries) as one:
            stage.tell(PRESS, PRESS)
            await stuck.next()
            await taker.next()
            await taker.next()
            assert one.document()["stuck"]["waiting"] == 2


async def test_a_receiver_that_is_away_is_a_fault_that_names_the_entry(stage: Stage, taker: Receiver) -> None:
    taker.statuses = [404]
    async with webhooks(stage, WebhookConfig(url=taker.url, name="shed")):
        stage.tell(PRESS)
        await taker.next()
        await told(stage, "FaultBegan")
        assert stage.faults.open[Part.WEBHOOKS].why == "shed: the receiver says 404 Not Found"
        stage.tell(PRESS)
        await told(stage, "FaultCleared")


async def test_a_receiver_that_takes_every_other_delivery_is_not_told_of_itself_for_ever(
    stage: Stage, taker: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.integrations.webhooks.hook.FIRST_PAUSE_S", 0.0)
    taker.statuses = [503, 204] * 10
    async with webhooks(stage, WebhookConfig(url=taker.url)):
        stage.tell(PRESS)
        assert [(await taker.next()).content["type"] for _ in range(2)] == ["pressed", "pressed"]
        await told(stage, "FaultCleared")
        stage.tell(DoorOpened("Anna"))
        assert (await taker.next()).content["type"] == "door_opened"


async def told(stage: Stage, kind: str) -> None:
    """Wait until a fact of this kind is told."""
    heard = asyncio.Event()

    def listen(entry: Entry) -> None:
        if type(entry.fact).__name__ == kind:
            heard.set()

    end = stage.journal.subscribe(listen)
    for entry in stage.journal.since(0):
        listen(entry)
    await asyncio.wait_for(heard.wait(), LIMIT_S)
    end()


async def test_a_test_says_for_each_receiver_whether_it_took_it(stage: Stage, taker: Receiver) -> None:
    taker.statuses = [200, 500]
    entry = WebhookConfig(url=taker.url, name="shed")
    async with webhooks(stage, entry):
        (well,) = await stage.access.ask("webhook.test", {"name": "shed"}, caller=SOMEBODY)
        (bad,) = await stage.access.ask("webhook.test", {}, caller=SOMEBODY)
    assert (well["name"], well["arrived"]) == ("shed", True)
    assert (bad["arrived"], bad["why"]) == (False, "the receiver says 500 Internal Server Error")
    assert (await taker.next()).content["type"] == "test"


async def test_a_test_of_an_unknown_webhook_is_refused(stage: Stage, taker: Receiver) -> None:
    async with webhooks(stage, WebhookConfig(url=taker.url)):
        with pytest.raises(RefusedError, match="of this name"):
            await stage.access.ask("webhook.test", {"name": "attic"}, caller=SOMEBODY)


async def test_without_webhooks_there_is_no_such_command(stage: Stage) -> None:
    with pytest.raises(RefusedError) as refusal:
        await stage.access.ask("webhook.test", {}, caller=SOMEBODY)
    assert refusal.value.code == METHOD_NOT_FOUND


async def test_a_press_just_before_the_start_is_told_and_an_older_one_is_not(taker: Receiver) -> None:
    stage = Stage(Part.WEBHOOKS)
    stage.journal._clock = lambda: time.monotonic() - CATCH_UP_S - 1
    stage.tell(DoorOpened("long ago"))
    stage.journal._clock = time.monotonic
    stage.tell(PRESS)
    async with webhooks(stage, WebhookConfig(url=taker.url)):
        assert (await taker.next()).content["type"] == "pressed"
    assert taker.received.empty()


async def test_a_ca_that_cannot_be_read_is_told_by_its_file(stage: Stage, taker: Receiver) -> None:
    entry = WebhookConfig(url=taker.url, certificate="/nowhere/ca.crt")
    async with webhooks(stage, entry):
        (result,) = await stage.access.ask("webhook.test", {}, caller=SOMEBODY)
    assert result["why"] == "the CA in /nowhere/ca.crt cannot be used: No such file or directory"


async def test_a_receiver_that_is_not_there_is_told_without_its_url(stage: Stage) -> None:
    with reserved_port() as port:
        async with webhooks(stage, WebhookConfig(url=f"http://127.0.0.1:{port}/secret-of-the-house")):
            (result,) = await stage.access.ask("webhook.test", {}, caller=SOMEBODY)
    assert result["why"].startswith("not reached")
    assert "secret" not in str(result) + str(stage.faults.open)


def test_every_fact_can_be_told() -> None:
    assert FACTS == NAMES
