"""One browser for the module, a fresh space for each test, and a far end with real media."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser

from intercom.space import Space

from ..space.conftest import House
from .sdk import chromium, reference_space, why_not


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = why_not()
    if missing:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    async with reference_space(tmp_path) as space:
        yield space


@pytest.fixture
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
