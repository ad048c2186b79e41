"""One browser for all tests, a fresh space for each, and a far end with real media."""

from __future__ import annotations

import ssl
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from intercom.space import Space

from ..alsa import tone
from ..space.conftest import House
from .sdk import chromium, reference_space, why_not


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = why_not()
    if missing:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=missing))


RESIDENT_HZ = 700.0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Chromium whose microphone hears the resident's tone in bursts; a steady one would be suppressed as noise."""
    voice = tmp_path_factory.mktemp("voice") / "resident.wav"
    burst, pause = tone(RESIDENT_HZ, 0.25, level_db=-6.0), tone(RESIDENT_HZ, 0.25, level_db=-120.0)
    with wave.open(str(voice), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", "not compressed"))
        file.writeframes((burst.tobytes() + pause.tobytes()) * 10)
    async with chromium(f"--use-file-for-fake-audio-capture={voice}") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    async with reference_space(tmp_path) as space:
        yield space


@pytest_asyncio.fixture(loop_scope="session")
async def house(space: Space) -> AsyncIterator[House]:
    """Raw clients beside the reference client."""
    trust = ssl.create_default_context(cadata=space.enrol("house-test", "Test").certificate)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as http:
        house = House(space, http)
        try:
            yield house
        finally:
            for client in house.clients:
                await client.close()
