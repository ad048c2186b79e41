"""From the edge at the button's pin to the invite at the far end, through an embedded space on this machine.

The baseline is the reference JavaScript SDK in Chromium: from its `dial()` to the invite at the same far end, through
the same space. It dials only with a TURN server and over TLS, so `p50_ms` and `p95_ms` are the door's through that
space too; `plain_…` is the door's through a space as `make demo` starts it, `watched_…` the same door's while four look
through its camera, and `planned_…` the same as `plain_…` with a plan of five steps.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from playwright.async_api import Error as PlaywrightError

from bench._far_end import FarEnd
from bench._plan import planned
from bench._settled import settled
from bench._watchers import watchers
from bench.report import Report, spread
from intercom.config import Config
from intercom.door.machine import State
from intercom.space import Space
from tests.alsa import AlsaCards
from tests.e2e.home import Home, home_config
from tests.reference.sdk import ReferenceClient, chromium, reference_space

CALLS = 40
BETWEEN_S = 0.3
VIEWERS = 4
TIMED = ("p95_ms", "plain_p95_ms", "planned_p95_ms", "watched_p95_ms")
DIAL = """async () => {
  const at = performance.timeOrigin + performance.now();
  const {id} = await window.reference.dial("/private/house", {
    audio: true, video: true, receiveAudio: true, receiveVideo: true,
  });
  return [at, id];
}"""


async def run() -> Report:
    """Press forty times at each door; let the reference SDK dial as often."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        cards = AlsaCards(directory)
        cards.start()
        try:
            plain, watched = await _doors_with_and_without_viewers(directory / "plain")
            config = home_config()
            steps = await _door(directory / "planned", replace(config, call=planned(config.call)))
            async with reference_space(directory / "reference") as space:
                ours = await _door(directory / "ours", config, space)
                reference, given_up = await _reference(directory / "sdk", space)
        finally:
            cards.stop()
    figures = spread(ours)
    for kind, took in (("plain", plain), ("planned", steps), ("watched", watched)):
        figures |= {f"{kind}_{name}": value for name, value in spread(took).items()}
    baselines = {f"reference_sdk_{name}": value for name, value in spread(reference).items()}
    baselines["reference_sdk_given_up"] = given_up
    return Report("press-to-ring", figures, dict.fromkeys(TIMED, 150.0), baselines)


async def _doors_with_and_without_viewers(directory: Path) -> tuple[list[float], list[float]]:
    """Return how long each press took in ms while nobody looked, and while `VIEWERS` did."""
    config = home_config()
    async with _home(directory, replace(config, camera=replace(config.camera, look=True))) as (home, far_end):

        async def look(offer: str) -> str:
            asked = {"address": "/private/door", "sdp": offer}
            answer: dict[str, str] = await far_end.client.session.execute("intercom.view", asked)
            return answer["sdp"]

        plain = await _presses(home, far_end)
        async with watchers(VIEWERS, look):
            return plain, await _presses(home, far_end)


async def _door(directory: Path, config: Config, space: Space | None = None) -> list[float]:
    async with _home(directory, config, space) as (home, far_end):
        return await _presses(home, far_end)


@asynccontextmanager
async def _home(directory: Path, config: Config, space: Space | None = None) -> AsyncIterator[tuple[Home, FarEnd]]:
    directory.mkdir()
    home = Home(directory, config, space=space)
    await home.start()
    far_end = FarEnd(home.space, directory)
    await far_end.start()
    try:
        with settled():
            yield home, far_end
    finally:
        await far_end.stop()
        await home.stop()


async def _presses(home: Home, far_end: FarEnd) -> list[float]:
    button = home.pins.pin(home.config.panel.button_gpio)
    took = []
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
