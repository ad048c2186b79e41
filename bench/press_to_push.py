"""From the edge at the button's pin to the receipt of a phone's worker, through a push service on this machine.

The phone is Firefox ESR with its page closed, and the service a stand-in of Mozilla's: the press passes door, space,
service, browser and worker, which shows the notification and tells the space.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench.report import CannotRunError, Report, spread
from intercom.config import SpaceConfig
from intercom.door.machine import State
from intercom.space import Space
from tests.alsa import AlsaCards
from tests.e2e.home import Home, home_config
from tests.firefox import PROGRAM, firefox
from tests.mozilla_push import MozillaPush, mozilla_push

PRESSES = 40
BETWEEN_S = 0.3
POLL_S = 0.001
WAIT_S = 30.0


async def run() -> Report:
    """Press forty times while the page is closed."""
    if not Path(PROGRAM).exists():
        raise CannotRunError("there is no Firefox: `apt install firefox-esr`")
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        cards = AlsaCards(directory)
        cards.start()
        try:
            async with mozilla_push() as service:
                took = await _measured(directory, service)
        finally:
            cards.stop()
    return Report("press-to-push", spread(took), {"p95_ms": 200.0})


async def _measured(directory: Path, service: MozillaPush) -> list[float]:
    space = SpaceConfig(listen="127.0.0.1:0", push_servers=(service.authority,))
    home = Home(directory, replace(home_config(), space=space))
    await home.start()
    try:
        async with firefox(preferences=service.preferences) as tab:
            await tab.goto(home.space.invite(name="Phone").url)
            await tab.until("document.body.dataset.state === 'ready' && document.body.dataset.push === 'off'")
            await tab.tap("#push")
            await tab.until("document.body.dataset.push === 'on'")
            await tab.goto("about:blank")
            return [await _press(home) for _ in range(PRESSES)]
    finally:
        await home.stop()


async def _press(home: Home) -> float:
    """Press once and let the visitor give up; return how long the receipt took, in ms."""
    assert home.door is not None
    button, before = home.pins.pin(home.config.panel.button_gpio), home.space.pushes.figures.shown
    pressed_at = time.monotonic()
    button.drive_low()
    await _receipts(home.space, before + 1)
    took_ms = (time.monotonic() - pressed_at) * 1000
    await asyncio.sleep(BETWEEN_S)
    button.drive_high()
    await home.door.calls.hang_up()
    await home.until(State.IDLE)
    await _receipts(home.space, before + 2)
    await asyncio.sleep(BETWEEN_S)
    return took_ms


async def _receipts(space: Space, count: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while space.pushes.figures.shown < count:
            await asyncio.sleep(POLL_S)
