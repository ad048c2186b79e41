"""From the edge at the button's pin to the visitor's picture on a page that rings: the still, then a live frame.

The camera is warm, as it is for a second press. `still_…` is the first picture of any kind: the still, or the live one
where that is there before. The page notes on the way when it shows that it rings, when it has the door's answer to its
request to see, and when its connection to the door stands.
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
WATCH = """
  const now = () => performance.timeOrigin + performance.now();
  const accept = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    if (description.type === "answer") {
      window.shown.answered ??= now();
      this.addEventListener("connectionstatechange", () => {
        if (this.connectionState === "connected") window.shown.connected ??= now();
      });
    }
    return accept.call(this, description);
  };
  document.addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
    if (document.body.dataset.state === "ringing") window.shown.rang ??= now();
  }).observe(document.body, { attributeFilter: ["data-state"] }));
  window.shown = {};
  window.arm = () => {
    const shown = window.shown = {};
    document.querySelector("#still").addEventListener("load", () => { shown.still = now(); }, { once: true });
    window.seen = new Promise((resolve) => {
      document.querySelector("#face").requestVideoFrameCallback(() => {
        shown.live = now();
        resolve(shown);
      });
    });
  };
"""
WAY = ("rang", "answered", "connected")
LONGEST_S = 30.0


async def run() -> Report:
    """Press twenty times, with one page open, after one press that loads what a first one loads."""
    presses: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        config = home_config(audio=AudioConfig(card="simulated"), camera=CameraConfig(source="pattern"))
        home = Home(Path(temporary), config)
        await home.start()
        assert home.door is not None
        assert home.door.camera is not None
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = await browser.new_context(permissions=["microphone"])
            await context.add_init_script(WATCH)
            station = await Station.pair(context, home.space)
            button = home.pins.pin(home.config.panel.button_gpio)
            with home.door.camera.frames():
                for _ in range(PRESSES + 1):
                    await asyncio.sleep(BETWEEN_S)
                    await station.page.evaluate("window.arm()")
                    pressed_ms = time.time() * 1000
                    button.drive_low()
                    asyncio.get_running_loop().call_later(PRESSED_S, button.drive_high)
                    shown = await _shown(station.page)
                    presses.append({what: at_ms - pressed_ms for what, at_ms in shown.items()})
                    await station.click("#decline")
                    await home.until(State.IDLE)
                    await station.until("ready")
            await browser.close()
        await home.stop()
    measured = presses[1:]
    still = [min(press.get("still", press["live"]), press["live"]) for press in measured]
    figures = spread([press["live"] for press in measured])
    figures |= {f"still_{name}": value for name, value in spread(still).items()}
    for part in WAY:  # a page may show the picture before it is told that the connection stands
        at_ms = [press.get(part, press["live"]) for press in measured]
        figures |= {f"{part}_{name}": value for name, value in spread(at_ms).items()}
    return Report(
        "press-to-face",
        figures,
        {"p95_ms": 300.0, "still_p95_ms": 150.0},
        notes=(
            "All from the press: rang, the page shows the ring; answered, it has the door's answer to its request to "
            "see; connected, ICE and DTLS stand at the page.",
        ),
    )


async def _shown(page: Page) -> dict[str, float]:
    """Wait for the live picture; return the times at which the page showed each thing, ms since 1970."""
    async with asyncio.timeout(LONGEST_S):
        shown: dict[str, float] = await page.evaluate("window.seen")
        return shown
