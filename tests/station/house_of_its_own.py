"""A real space, and a door that is registered at it, for the tests of the page that need more than a scripted house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.station.door_line import DoorLine


@pytest_asyncio.fixture(loop_scope="session")
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A space on a free port."""
    running = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path)
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def line(space: Space) -> AsyncIterator[DoorLine]:
    """The door, registered."""
    async with DoorLine(space) as registered:
        yield registered
