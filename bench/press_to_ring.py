"""From the edge at the button's pin to the invite at the far end, through an embedded space on this machine.

The baseline is the reference JavaScript SDK in Chromium: from its `dial()` to the invite at the same far end, through
the same kind of space (over TLS and with a TURN server, without which it does not dial).
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench._far_end import FarEnd
from bench.report import Report, spread
from intercom.machine import State
from tests.alsa import AlsaCards
from tests.e2e.home import Home, home_config

CALLS = 40


async def run() -> Report:
    """Press forty times; then let the reference SDK dial as often."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        cards = AlsaCards(Path(directory))
        cards.start()
        try:
            ours = await _door(Path(directory))
        finally:
            cards.stop()
    return Report("press-to-ring", spread(ours), {"p95_ms": 150.0})


async def _door(directory: Path) -> list[float]:
    home = Home(directory / "home", home_config())
    await home.start()
    assert home.door is not None
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
            await asyncio.sleep(0.1)
            button.drive_high()
            await call.reject()
            await home.until(State.IDLE)
            await asyncio.sleep(0.4)
    finally:
        await far_end.stop()
        await home.stop()
    return took
