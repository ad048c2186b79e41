"""A visitor's message on the page, with the real space: told at once, played by both browsers, deleted with one tap."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from intercom.config import HistoryConfig, SpaceConfig
from intercom.message_files import PIECE_BYTES
from intercom.space import Space
from tests.firefox import firefox
from tests.media.recording.film import film
from tests.station.waiting import PATIENCE_MS, state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILM = b"".join(film(3))
SOUND = b"".join(film(3, picture=False))


class Door:
    """A door that brings messages."""

    def __init__(self, space: Space) -> None:
        subscriber = space.store.add_subscriber("door", "Front door", kind="door")
        self._headers = {"Authorization": f"Bearer {space.store.add_device(subscriber, 'Front door')}"}
        self._url = space.url + "/api/space/messages"

    async def brings(self, name: str, data: bytes) -> None:
        """Bring a whole message."""
        async with aiohttp.ClientSession(headers=self._headers) as http:
            for at in range(0, len(data), PIECE_BYTES):
                query = {"began_at": int(time.time()), "seconds": 3, "bytes": len(data), "at": at}
                piece = data[at : at + PIECE_BYTES]
                async with http.post(f"{self._url}/{name}", params=query, data=piece) as answer:
                    assert answer.status == 200, await answer.text()


@pytest_asyncio.fixture(loop_scope="session")
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A space that keeps messages."""
    running = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state", history=HistoryConfig(messages=True))
    await running.start()
    yield running
    await running.stop()


async def test_a_message_is_heard_and_seen_and_deleted_on_every_device(page: Page, space: Space) -> None:
    door = Door(space)
    await page.goto(space.invite().url)
    await state(page, "ready")
    await page.click("#walk-close")
    await door.brings("seen", FILM)
    await door.brings("heard", SOUND + bytes(2 * PIECE_BYTES))  # what follows the last fragment is none, and is fetched
    await expect(page.locator("#visitors-count")).to_have_text("2 missed")
    await page.click("#visitors-open")
    rows = page.locator(".visit")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("Missed: nobody answered. Message, 3 s")

    await rows.nth(1).locator(".visit-open").click()
    await expect(page.locator("#message-words")).to_have_text("Message, 3 s")
    await page.click("#message-play")
    await until(page, "document.querySelector('#message-film').ended")
    assert await page.evaluate("document.querySelector('#message-film').videoWidth") == 160
    await page.click("#message-delete")
    await expect(page.locator("#message")).to_be_hidden()
    await expect(page.locator("#visit-close")).to_be_focused()
    assert [message.id for message in space.messages.files.all()] == ["heard"]
    await page.click("#visit-close")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).not_to_contain_text("Message")

    await rows.nth(0).locator(".visit-open").click()
    await page.click("#message-play")
    await until(page, "document.querySelector('#message-film').readyState > 2")
    await expect(page.locator("#message-film")).to_have_class("sound-alone")
    await page.click("#visit-close")
    await until(page, "document.querySelector('#message-film').src === ''")
    await rows.nth(0).locator(".visit-delete").click()
    await expect(rows).to_have_count(1)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while space.messages.files.all():  # a visit that is deleted takes its message along
            await asyncio.sleep(0.02)


async def test_firefox_plays_a_message(space: Space) -> None:
    door = Door(space)
    async with firefox() as tab:
        await tab.goto(space.invite().url)
        await tab.until("document.body.dataset.state === 'ready'")
        await tab.tap("#walk-close")
        await door.brings("heard", SOUND)
        await tab.until("!document.querySelector('#visitors-open').hidden")
        await tab.tap("#visitors-open")
        await tab.until("document.querySelector('.visit')?.innerText.includes('Message')")
        await tab.tap(".visit-open")
        await tab.tap("#message-play")
        await tab.until("document.querySelector('#message-film').ended")
        told = json.loads(await tab.evaluate("JSON.stringify([document.querySelector('#message-words').innerText])"))
        assert told == ["Message, 3 s"]
