"""Notifications in Firefox ESR as Debian ships it, through Mozilla's push service on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.firefox import FirefoxPage, firefox
from tests.mozilla_push import MozillaPush, mozilla_push
from tests.station.door import Door
from tests.station.door_line import DoorLine

pytestmark = pytest.mark.asyncio(loop_scope="session")

TITLES = """navigator.serviceWorker.ready.then((worker) => worker.getNotifications())
    .then((all) => all.map(({ title }) => title).filter((title) => title !== "This device rings").join())"""

WORDS = ".step-words"
FORGET = """navigator.serviceWorker.ready.then((worker) => worker.getNotifications())
    .then((all) => all.forEach((notification) => notification.close()))"""


async def shown(space: Space, count: int) -> None:
    """Wait until the house has got so many receipts."""
    async with asyncio.timeout(60):
        while space.pushes.figures.shown < count:
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def service() -> AsyncIterator[MozillaPush]:
    """The push service."""
    async with mozilla_push() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def space(service: MozillaPush, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Space]:
    """The house."""
    directory: Path = tmp_path_factory.mktemp("house")
    running = Space(SpaceConfig(listen="127.0.0.1:0", push_servers=(service.authority,)), directory)
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def tab(space: Space, service: MozillaPush) -> AsyncIterator[FirefoxPage]:
    """The page, paired, with notifications turned on by a tap."""
    async with firefox(preferences=service.preferences) as opened:
        await opened.goto(space.invite(name="Tablet").url)
        await opened.until("document.body.dataset.state === 'ready'")
        await opened.until("document.body.dataset.push === 'off'")
        await opened.tap("#push")
        await opened.until("document.body.dataset.push === 'on'")
        yield opened


async def test_a_tap_turns_notifications_on_and_the_house_knows(tab: FirefoxPage, space: Space) -> None:
    assert "while the page is closed" in await tab.text("#push-words")
    assert [device.push for device in space.store.devices()] == [True]


async def test_a_test_is_shown_by_the_device_and_its_page_says_so(
    tab: FirefoxPage, space: Space, service: MozillaPush
) -> None:
    await tab.tap("#push-test")
    await tab.until("document.querySelector('#push-words').textContent.startsWith('The test arrived after')")
    assert (space.pushes.figures.shown, service.refused) == (1, [])


async def test_a_device_proves_that_it_rings_while_its_page_is_closed(tab: FirefoxPage, space: Space) -> None:
    before = space.pushes.figures.shown
    await tab.tap("[data-step=closed] > button")
    await tab.tap("#walk-wake")
    await tab.until(
        "document.querySelector('[data-step=closed] .step-words').textContent.includes('it rings in a few')"
    )
    await tab.goto("about:blank")
    await shown(space, before + 1)
    await tab.goto(f"{space.url}/station/")
    assert await tab.evaluate(TITLES) == "Does this device ring?"
    assert space.store.devices()[0].woken_at == 0
    await tab.goto("about:blank")
    await tab.goto(f"{space.url}/station/#rang")
    await tab.until("document.querySelector('[data-step=closed]').dataset.state === 'done'")
    assert space.store.devices()[0].woken_at > 0
    await tab.evaluate(FORGET)


async def test_a_door_wakes_the_device_whose_page_is_closed_and_the_page_that_opens_answers(
    tab: FirefoxPage, space: Space, door: Door
) -> None:
    await tab.goto("about:blank")
    async with DoorLine(space) as line:
        before = space.pushes.figures.shown
        await line.ring(door)
        await shown(space, before + 1)
        await tab.goto(f"{space.url}/station/")
        await tab.until("document.body.dataset.state === 'ringing'")
        assert await tab.evaluate(TITLES) == "Front door is ringing"
        await tab.tap("#answer")
        await door.accept((await line.heard("verto.answer"))["sdp"])  # else the page gives the call up after a while
        await tab.until(f"({TITLES}).then((titles) => {{ window.titles = titles; }}), window.titles === ''")
        await tab.tap("#hangup")
        await tab.until("document.body.dataset.state === 'ready'")
        await shown(space, before + 2)  # who answered


async def test_what_nobody_answered_is_one_notification_that_says_so(
    tab: FirefoxPage, space: Space, door: Door
) -> None:
    await tab.goto("about:blank")
    async with DoorLine(space) as line:
        before = space.pushes.figures.shown
        call_id = await line.ring(door)
        await shown(space, before + 1)
        bye = {"dialogParams": {"callID": call_id}, "cause": "ORIGINATOR_CANCEL", "causeCode": 487}
        await line.verto("verto.bye", bye)
        await shown(space, before + 2)
    await tab.goto(f"{space.url}/station/")
    await tab.until("document.body.dataset.state === 'ready'")
    assert await tab.evaluate(TITLES) == "Missed: Front door"
