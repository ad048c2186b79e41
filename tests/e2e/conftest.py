"""The home, and a Chromium whose microphone hears a steady tone."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from intercom.config import CallConfig
from tests.alsa import AlsaCards, alsa_cards, alsa_session, tone
from tests.e2e.home import PATIENCE_S, Home, Station, home_config
from tests.station.conftest import CHROMIUM, FLAGS, LEAN

__all__ = ["alsa_cards", "alsa_session"]

RESIDENT_HZ = 700.0
VISITOR_HZ = 1100.0
RINGS_LONG = CallConfig(ring_time_s=300.0)
"""For longer than browsers on a busy machine take to show who rings."""

StartHome = Callable[..., Awaitable[Home]]
PairStation = Callable[..., Awaitable[Station]]


@pytest.fixture(scope="session")
def resident_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WAV file with the resident's tone, for Chromium's fake microphone (which repeats it).

    In bursts: Chromium takes a steady tone for noise and suppresses it.
    """
    burst, pause = tone(RESIDENT_HZ, 0.25, level_db=-6.0), tone(RESIDENT_HZ, 0.25, level_db=-120.0)
    file = tmp_path_factory.mktemp("voice") / "resident.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((burst.tobytes() + pause.tobytes()) * 10)
    return file


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(resident_voice: Path) -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*FLAGS, LEAN, f"--use-file-for-fake-audio-capture={resident_voice}"],
            timeout=PATIENCE_S * 1000,
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def start_home(tmp_path: Path, alsa_cards: AlsaCards) -> AsyncIterator[StartHome]:
    """Start a home, with tables of the configuration replaced."""
    homes: list[Home] = []

    async def start(**tables: Any) -> Home:
        home = Home(tmp_path, home_config(**{"call": RINGS_LONG, **tables}))
        homes.append(home)
        await home.start()
        return home

    yield start
    for home in homes:
        await home.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def pair_station(browser: Browser) -> AsyncIterator[PairStation]:
    """Open a station page, paired with a home, in a profile of its own."""
    contexts: list[BrowserContext] = []

    async def pair(home: Home, name: str = "Kitchen") -> Station:
        context = await browser.new_context(permissions=["microphone"], viewport={"width": 390, "height": 844})
        context.set_default_timeout(PATIENCE_S * 1000)
        contexts.append(context)
        return await Station.pair(context, home.space, name)

    yield pair
    for context in contexts:
        await context.close()
