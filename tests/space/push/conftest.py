"""A running space whose phones have a push service on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.space.conftest import House
from tests.space.push.phone import Phone
from tests.space.push.service import PushService, push_service


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    """The push service."""
    async with push_service() as running:
        yield running


@pytest.fixture
async def pushing(tmp_path: Path, configure: Callable[..., SpaceConfig], service: PushService) -> AsyncIterator[House]:
    """A space that the owner lets push to that service."""
    space = Space(configure(push_servers=(service.authority,)), tmp_path / "state")
    await space.start()
    async with aiohttp.ClientSession() as http:
        house = House(space, http)
        try:
            yield house
        finally:
            for client in house.clients:
                await client.close()
            await space.stop()


@pytest.fixture
async def phone(pushing: House, service: PushService) -> Phone:
    """A phone that is rung by push."""
    return await Phone(pushing, service, "phone").subscribe()
