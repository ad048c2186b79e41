"""The station page in Chromium goes along when the door gets another address."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from tests.network.processes import Neighbourhood, Process

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]  # the first starts them all

CLEARLY_DB = 25.0


async def test_the_page_hears_the_door_after_its_address_changed(here: Neighbourhood) -> None:
    url = await here.space.do("pairing_url")
    command = here.street.command(here.street.house, sys.executable, "-m", "tests.network.browser", url)
    page = await Process.start(command, here.directory / "browser.log")
    try:
        await page.until(lambda told: told["what"] == "ready", "the page")
        await here.resident.stop()  # who would answer first
        answering = asyncio.ensure_future(page.do("answer"))
        await here.door.do("press")
        await answering
        assert await page.do("listen") > CLEARLY_DB
        before = (await here.door.do("status"))["call"]["id"]
        since = time.monotonic()
        here.street.leave("cable")
        here.street.renumber("cable", 66)
        await here.door.until(lambda told: told["what"] == "media" and "CallMoved" in told["event"], "the move", since)
        assert await page.do("listen") > CLEARLY_DB
        call = (await here.door.do("status"))["call"]
        assert (call["id"], call["media"]["state"]) == (before, "connected")
        await here.door.do("hang_up")
    finally:
        await page.stop()
        await here.start_resident()
