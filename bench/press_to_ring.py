"""From the edge at the button's pin to the invite at the far end, through an embedded space on this machine.

The baseline is the reference JavaScript SDK in Chromium: from its `dial()` to the invite at the same far end, through
the same space. It dials only with a TURN server and over TLS, so `p50_ms` and `p95_ms` are the door's through that
space too; `plain_…` is the door's through a space as `make demo` starts it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from playwright.async_api import Error as PlaywrightError

from bench._far_end import FarEnd
from bench.report import Report, spread
from intercom.door.machine import State
from intercom.space import Space
from tests.alsa import AlsaCards
from tests.e2e.home import Home, home_config
from tests.reference.sdk import ReferenceClient, chromium, reference_space

CALLS = 40
BETWEEN_S = 0.3
DIAL = """async () => {
  const at = performance.timeOrigin + performance.now();
  const {id} = await window.reference.dial("/private/house", {
    audio: true, video: true, receiveAudio: true, receiveVideo: true,
  });
  return [at, id];
}"""


async def run() -> Report:
    """Press forty times, twice; let the reference SDK dial as often."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        cards = AlsaCards(directory)
        cards.start()
        try:
            plain = await _door(directory / "plain")
            async with reference_space(directory / "reference") as space:
                ours = await _door(directory / "ours", space)
                reference, given_up = await _reference(directory / "sdk", space)
        finally:
            cards.stop()
    figures = spread(ours) | {f"plain_{name}": value for name, value in spread(plain).items()}
    baselines = {f"reference_sdk_{name}": value for name, value in spread(reference).items()}
    baselines["reference_sdk_given_up"] = given_up
    return Report("press-to-ring", figures, {"p95_ms": 150.0, "plain_p95_ms": 150.0}, baselines)


async def _door(directory: Path, space: Space | None = None) -> list[float]:
    directory.mkdir()
    home = Home(directory, home_config(), space=space)
    await home.start()
    far_end = FarEnd(home.space, directory)
    await far_end.start()
    button = home.pins.pin(home.config.panel.button_gpio)
    took = []
    try:
        for _ in range(CALLS):
            pressed_at = time.time()
            button.drive_low()
            rang_at, call = await far_end.rings()
            took.append((rang_at - pressed_at) * 1000)
            await asyncio.sleep(BETWEEN_S)
            button.drive_high()
            await call.reject()
            await home.until(State.IDLE)
            await asyncio.sleep(BETWEEN_S)
    finally:
        await far_end.stop()
        await home.stop()
    return took


async def _reference(directory: Path, space: Space) -> tuple[list[float], int]:
    """How long each dial took in ms, and how many the SDK gave up."""
    directory.mkdir()
    far_end = FarEnd(space, directory)
    await far_end.start()
    took: list[float] = []
    failed = 0
    try:
        async with chromium() as browser, ReferenceClient(browser, space, "sdk") as sdk:
            while len(took) + failed < CALLS:
                dialled = asyncio.ensure_future(sdk.page.evaluate(DIAL))
                call = None
                try:
                    rang_at, call = await far_end.rings()
                    dialled_at_ms, call_id = await dialled
                except (PlaywrightError, TimeoutError):
                    await asyncio.gather(dialled, return_exceptions=True)
                    failed += 1
                    if call is not None:
                        await call.reject()
                    continue
                took.append(rang_at * 1000 - dialled_at_ms)
                await call.reject()
                await sdk.reaches(call_id, "disconnected")
                await asyncio.sleep(BETWEEN_S)
    finally:
        await far_end.stop()
    return took, failed
