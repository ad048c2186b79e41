"""The worker in Chromium: what it makes of pushes, which the browser's own tool delivers to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, CDPSession, Page, expect

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.push.notices import Notice
from tests.space.push.browser_keys import BrowserKeys
from tests.space.push.service import PushService, push_service
from tests.station.waiting import PATIENCE_MS, state

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("service_worker")]

SHOWN = """() => inTurn(async () => (await self.registration.getNotifications())
    .map(({ tag, title, body, requireInteraction }) => [tag, title, body, requireInteraction]))"""
"""In the worker's turn: Chromium forgets a notification that it is about to show when it is asked what it shows."""
TAP = """async () => {
    const did = [], work = [];
    self.clients.openWindow = async (url) => did.push(`opens ${url}`);
    WindowClient.prototype.focus = async function () { did.push(`shows ${new URL(this.url).pathname}`); };
    const [notification] = await inTurn(() => self.registration.getNotifications());
    const tap = new NotificationEvent("notificationclick", { notification });
    tap.waitUntil = (promise) => work.push(promise);
    self.dispatchEvent(tap);
    await Promise.all(work);
    return did.join();
}"""
"""A tap as the browser reports it; that it lets a worker open a window is the browser's own affair."""
CHOSEN = """async () => (await (await caches.open("intercom-push")).match("language"))?.text()"""
"""The language that the worker finds."""
NOON = 1_800_000_000.0


class Sleeper:
    """A phone whose page is closed or in the background; its pushes are read here and delivered to its worker."""

    def __init__(self, page: Page, tool: CDPSession, space: Space, service: PushService) -> None:
        self.page = page
        self.space = space
        self.service = service
        self.keys = BrowserKeys()
        self._tool = tool
        self._origin = ""
        self._registration: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._delivered = 0

    async def settle(self) -> None:
        """Open the page, subscribe, and find the worker."""
        self._tool.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        await self._tool.send("ServiceWorker.enable")
        await self.page.goto(self.space.invite(name="Phone").url)
        await state(self.page, "ready")
        secret = await self.page.evaluate("JSON.parse(localStorage.getItem('intercom.device')).secret")
        subscription = self.keys.subscription(self.service.endpoint("phone"))
        self.space.store.subscriptions.keep(secret, subscription["endpoint"], **subscription["keys"])
        self._origin = await self.page.evaluate("location.origin")
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def _registered(self, told: dict[str, Any]) -> None:
        for registration in told["registrations"]:
            if not self._registration.done():
                self._registration.set_result(registration["registrationId"])

    async def deliver(self, text: str) -> None:
        """Hand the worker a push."""
        registration = await asyncio.wait_for(self._registration, PATIENCE_MS / 1000)
        await self._tool.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self._origin, "registrationId": registration, "data": text},
        )

    async def is_told(self, notice: Notice) -> None:
        """Let the house send a notice; read it as the browser does and hand it to the worker."""
        (subscription,) = self.space.store.subscriptions.of_subscribers(
            device.id for name in ("phone",) if (device := self.space.store.subscriber(name)) is not None
        )
        self.space.pushes.send(subscription, notice, ttl_s=60, patience_s=60.0)
        self._delivered += 1
        arrived = await self.service.push(self._delivered)
        await self.deliver(self.keys.read(arrived.body).decode())

    async def shows(self, *titles: str) -> list[list[Any]]:
        """Wait until the device shows these notifications, and return them."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while sorted(title for _, title, _, _ in await self.shown()) != sorted(titles):
                await asyncio.sleep(0.05)
        return await self.shown()

    async def shown(self) -> list[list[Any]]:
        """The notifications that the device shows: tag, title, text, and whether it stays until it is touched."""
        (worker,) = self.page.context.service_workers
        shown: list[list[Any]] = await worker.evaluate(SHOWN)
        return shown

    async def taps(self) -> str:
        """Tap the notification; return what the worker does."""
        (worker,) = self.page.context.service_workers
        did: str = await worker.evaluate(TAP)
        return did

    async def looks_away(self) -> None:
        """Close the page; its worker stays."""
        await self.page.goto("about:blank")

    async def receipts(self, count: int) -> None:
        """Wait until the house has got so many receipts."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while self.space.pushes.figures.shown < count:
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="session")
async def sleeper(context: BrowserContext, tmp_path: Path) -> AsyncIterator[Sleeper]:
    """A phone of a house of its own."""
    async with push_service() as service:
        space = Space(SpaceConfig(listen="127.0.0.1:0", push_servers=(service.authority,)), tmp_path)
        await space.start()
        page = await context.new_page()
        phone = Sleeper(page, await context.new_cdp_session(page), space, service)
        await phone.settle()
        yield phone
        await space.stop()


def ring(kind: Any = "ring", **more: str) -> Notice:
    """News of one ring."""
    return Notice(kind, "door/press-1", NOON, "Front door", **more)


async def test_each_news_of_a_ring_takes_the_place_of_the_last(sleeper: Sleeper) -> None:
    await sleeper.looks_away()
    await sleeper.is_told(ring())
    ((tag, _, body, stays),) = await sleeper.shows("Front door is ringing")
    assert (tag, stays) == ("door/press-1", True)
    assert "Tap to answer" in body
    await sleeper.is_told(ring("missed"))
    ((tag, _, _, stays),) = await sleeper.shows("Missed: Front door")
    assert (tag, stays) == ("door/press-1", False)
    await sleeper.receipts(2)


async def test_a_ring_in_quiet_hours_is_shown_without_a_sound_and_stays_until_it_is_touched(sleeper: Sleeper) -> None:
    await sleeper.looks_away()
    await sleeper.is_told(msgspec.structs.replace(ring(), quiet=True))
    ((_, _, _, stays),) = await sleeper.shows("Front door is ringing")
    (worker,) = sleeper.page.context.service_workers
    silent = "() => inTurn(async () => (await self.registration.getNotifications()).map(({ silent }) => silent))"
    assert (stays, await worker.evaluate(silent)) == (True, [True])


async def test_a_ring_that_arrives_late_shows_at_once_how_it_ended(sleeper: Sleeper) -> None:
    await sleeper.looks_away()
    await sleeper.is_told(ring())
    late = sleeper.keys.read(sleeper.service.arrived[0].body).decode()
    await sleeper.is_told(ring("answered", by="Kitchen"))
    await sleeper.shows("Kitchen answered")
    receipt = sleeper.space.pushes._receipts.expect("device", "door/press-1")[0]
    await sleeper.deliver(json.dumps({**json.loads(late), "receipt": receipt}))
    await sleeper.receipts(3)
    await sleeper.shows("Kitchen answered")


async def test_a_tap_opens_the_page_or_shows_the_one_that_is_open(sleeper: Sleeper) -> None:
    await sleeper.is_told(ring())
    await sleeper.shows("Front door is ringing")
    assert await sleeper.taps() == "shows /station/"
    await sleeper.shows()
    await sleeper.looks_away()
    await sleeper.is_told(ring())
    await sleeper.shows("Front door is ringing")
    assert await sleeper.taps() == "opens ./"


async def test_two_rings_are_two_notifications(sleeper: Sleeper) -> None:
    await sleeper.looks_away()
    await sleeper.is_told(ring("missed"))
    await sleeper.is_told(Notice("ring", "gate/press-1", NOON, "Garden gate"))
    await sleeper.shows("Garden gate is ringing", "Missed: Front door")


async def test_whoever_looks_at_the_page_sees_there_how_the_ring_ended(sleeper: Sleeper) -> None:
    await sleeper.is_told(ring())
    await sleeper.shows("Front door is ringing")
    await sleeper.is_told(ring("answered", by="Kitchen"))
    await sleeper.shows()
    await sleeper.receipts(2)


async def test_a_page_that_takes_away_one_rings_notification_while_another_rings_loses_none(sleeper: Sleeper) -> None:
    rings = [f"door/press-{number}" for number in range(20)]
    close = "async (tags) => tags.forEach(async (tag) => (await worker).active.postMessage({ over: true, tag }))"
    await sleeper.page.evaluate("() => { window.worker = navigator.serviceWorker.ready; }")
    for tag in rings:
        await sleeper.deliver(json.dumps({"kind": "ring", "tag": tag, "at": NOON, "door": "Front door"}))
        await sleeper.page.evaluate(close, ["another"] * 20)
    await sleeper.shows(*["Front door is ringing"] * len(rings))
    await sleeper.page.evaluate(close, rings)
    await sleeper.shows()


async def test_a_push_that_is_none_is_shown_as_something_and_does_no_harm(sleeper: Sleeper) -> None:
    for text in ("", "no JSON", "[]", "null", '{"kind": "toString"}', '{"at": "x", "tag": {}}'):
        await sleeper.deliver(text)
    await sleeper.is_told(ring())
    await sleeper.shows("The door", "The door", "Front door is ringing")


async def test_a_browser_whose_push_service_is_not_reached_says_so_and_the_page_goes_on(sleeper: Sleeper) -> None:
    await expect(sleeper.page.locator("body")).to_have_attribute("data-push", "off")
    await sleeper.page.click("#push")
    await expect(sleeper.page.locator("#push-words")).to_contain_text("push service was not reached")
    await state(sleeper.page, "ready")


def proof() -> Notice:
    """The push that proves a device."""
    return Notice("proof", "proof", NOON)


async def test_a_tap_on_the_test_of_a_closed_page_opens_it_and_it_tells_the_house(sleeper: Sleeper) -> None:
    await sleeper.looks_away()
    await sleeper.is_told(proof())
    ((_, _, body, stays),) = await sleeper.shows("Does this device ring?")
    assert ("Tap here" in body, stays) == (True, True)
    await sleeper.receipts(1)
    assert await sleeper.taps() == "opens ./#rang"
    await sleeper.page.goto(f"{sleeper.space.url}/station/#rang")
    await expect(sleeper.page.locator("[data-step=closed]")).to_have_attribute("data-state", "done")
    assert sleeper.page.url == f"{sleeper.space.url}/station/"
    assert sleeper.space.store.devices()[0].woken_at > 0


async def test_a_test_that_came_while_the_page_was_in_front_proves_nothing_and_the_page_says_so(
    sleeper: Sleeper,
) -> None:
    await sleeper.page.bring_to_front()
    await sleeper.is_told(proof())
    await sleeper.shows("Does this device ring?")
    assert await sleeper.taps() == "shows /station/"
    await expect(sleeper.page.locator("#walk")).to_contain_text("It arrived, but this page was in front")
    assert sleeper.space.store.devices()[0].woken_at == 0


async def test_a_new_subscription_reaches_the_house_though_the_page_is_closed(sleeper: Sleeper) -> None:
    former, now = (keys.subscription(sleeper.service.endpoint("phone")) for keys in (sleeper.keys, BrowserKeys()))
    now["endpoint"] = sleeper.service.endpoint("again")
    await sleeper.page.evaluate(
        """async (former) => (await import("./alerts/push.js")).keepForWorker({
            toJSON: () => former, options: { applicationServerKey: new Uint8Array([4]).buffer } })""",
        former,
    )
    await sleeper.looks_away()
    (worker,) = sleeper.page.context.service_workers
    await worker.evaluate(
        """async (now) => {
            const work = [], changed = new ExtendableEvent("pushsubscriptionchange");
            changed.newSubscription = { ...now, toJSON: () => now };
            changed.waitUntil = (promise) => work.push(promise);
            self.dispatchEvent(changed);
            await Promise.all(work);
        }""",
        now,
    )
    phone = sleeper.space.store.subscriber("phone")
    assert phone is not None
    (known,) = sleeper.space.store.subscriptions.of_subscribers([phone.id])
    assert known.endpoint == now["endpoint"]


async def test_a_notification_speaks_the_language_that_its_owner_chose(sleeper: Sleeper) -> None:
    await sleeper.page.click("#walk-close")
    await sleeper.page.select_option("#language", "de")
    await expect(sleeper.page.locator("#ready-title")).to_have_text("Niemand an der Tür")
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while await sleeper.page.evaluate(CHOSEN) != "de":  # the page writes it down a moment later
            pass
    await sleeper.looks_away()
    await sleeper.is_told(Notice("ring", "r1", NOON, "Haustür"))
    ((_, _, body, _),) = await sleeper.shows("Haustür klingelt")
    assert body.endswith("Tippe, um anzunehmen.")
