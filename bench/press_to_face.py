"""From the edge at the button's pin to the visitor's picture on a page that rings: the still, then a live frame.

The camera is warm, as it is for a second press. `still_…` is the first picture of any kind: the still, or the live one
where that is there before.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from playwright.async_api import Page, async_playwright

from bench.report import Report, spread
from intercom.config import AudioConfig, CameraConfig
from intercom.door.machine import State
from tests.e2e.home import Home, Station, home_config
from tests.station.conftest import CHROMIUM, FLAGS

PRESSES = 20
BETWEEN_S = 0.5
PRESSED_S = 0.1
ARM = """() => {
  const now = () => performance.timeOrigin + performance.now();
  window.shown = {};
  document.querySelector("#face").requestVideoFrameCallback(() => { window.shown.live = now(); });
  document.querySelector("#still").addEventListener("load", () => { window.shown.still = now(); }, { once: true });
}"""
LONGEST_S = 30.0


async def run() -> Report:
    """Press twenty times, with one page open, after one press that loads what a first one loads."""
    still: list[float] = []
    live: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        config = home_config(audio=AudioConfig(card="simulated"), camera=CameraConfig(source="pattern"))
        home = Home(Path(temporary), config)
        await home.start()
        assert home.door is not None
        assert home.door.camera is not None
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = await browser.new_context(permissions=["microphone"])
            station = await Station.pair(context, home.space)
            button = home.pins.pin(home.config.panel.button_gpio)
            with home.door.camera.frames():
                for _ in range(PRESSES + 1):
                    await asyncio.sleep(BETWEEN_S)
                    await station.page.evaluate(ARM)
                    pressed_ms = time.time() * 1000
                    button.drive_low()
                    asyncio.get_running_loop().call_later(PRESSED_S, button.drive_high)
                    shown = await _shown(station.page)
                    live.append(shown["live"] - pressed_ms)
                    still.append(min(shown.values()) - pressed_ms)
                    await station.click("#decline")
                    await home.until(State.IDLE)
                    await station.until("ready")
            await browser.close()
        await home.stop()
    figures = spread(live[1:]) | {f"still_{name}": value for name, value in spread(still[1:]).items()}
    return Report("press-to-face", figures, {"p95_ms": 300.0, "still_p95_ms": 150.0})


async def _shown(page: Page) -> dict[str, float]:
    """Wait for the live picture; return the times at which each picture was shown, ms since 1970."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            shown: dict[str, float] = await page.evaluate("window.shown")
            if "live" in shown:
                return shown
            await asyncio.sleep(0.01)
