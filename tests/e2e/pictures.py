"""Pictures of the running product for the README: `python -m tests.e2e.pictures [DIRECTORY]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.async_api import async_playwright

from intercom.config import AudioConfig, CameraConfig
from intercom.door.machine import State
from tests.e2e.home import Home, Station, home_config
from tests.station.conftest import CHROMIUM, FLAGS

IMAGES = Path(__file__).parents[2] / "docs" / "images"


async def shoot(directory: Path) -> None:
    """Lead a home through a call and photograph the station and the panel in each state."""
    directory.mkdir(parents=True, exist_ok=True)
    config = home_config(audio=AudioConfig(card="simulated"), camera=CameraConfig(source="pattern"))
    config = replace(config, panel=replace(config.panel, page_listen="127.0.0.1:0"))
    with tempfile.TemporaryDirectory() as temporary:
        home = Home(Path(temporary), config)
        await home.start()
        assert home.door is not None
        assert home.door.page is not None
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            dark = await browser.new_context(
                permissions=["microphone", "notifications"],
                viewport={"width": 390, "height": 844},
                color_scheme="dark",
            )
            wide = await browser.new_context(viewport={"width": 1100, "height": 740}, color_scheme="dark")
            station, panel = await Station.pair(dark, home.space), await wide.new_page()
            await panel.goto(home.door.page.url)

            async def picture(name: str) -> None:
                await asyncio.sleep(1.0)  # the animations come to rest
                await station.page.screenshot(path=directory / f"station-{name}.png")
                await panel.screenshot(path=directory / f"panel-{name}.png")

            await station.click("#walk-close")
            await picture("idle")
            await home.press()
            await station.until("ringing")
            await station.page.wait_for_selector("#face.live")
            await picture("ringing")
            await station.click("#answer")
            await home.until(State.IN_CALL)
            await asyncio.sleep(2.0)
            await picture("in-call")
            await station.click("#open-door")
            await station.page.wait_for_selector("#open-door[data-door=open]")
            await station.page.screenshot(path=directory / "station-door-open.png")
            await panel.screenshot(path=directory / "panel-door-open.png")
            await station.click("#hangup")
            await home.until(State.IDLE)
            await browser.close()
        await home.stop()


if __name__ == "__main__":
    asyncio.run(shoot(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES))
