"""The station page in Chromium, paired and quick to answer: `python -m tests.network.browser PAIRING_URL`."""

from __future__ import annotations

import asyncio
import sys

from playwright.async_api import async_playwright

from tests.e2e.home import Station
from tests.network.telling import obey, tell
from tests.station.conftest import CHROMIUM, FLAGS

DOOR_HZ = 1100.0
ANSWER_MS = 60_000


async def main(url: str) -> None:
    """Answer one call, and listen when told to."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--ignore-certificate-errors"]
        )
        context = await chromium.new_context(permissions=["microphone"], ignore_https_errors=True)
        station = Station(await context.new_page())
        await station.page.goto(url)
        await station.until("ready")
        tell("ready")

        async def answer() -> None:
            await station.page.wait_for_selector("body[data-state=ringing]", timeout=ANSWER_MS)
            await station.click("#answer")
            await station.until("in-call")

        async def listen() -> float:
            return await station.hears(DOOR_HZ)

        await obey({"answer": answer, "listen": listen})
        await chromium.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
