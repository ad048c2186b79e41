"""A door that answers the tablet at once, opens for it and lets itself be muted, in a space of one test module."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.config import CallConfig, DoorConfig
from intercom.space import Space

from ..alsa import AlsaCards, tone_level_db
from ..e2e.home import PATIENCE_S, Home, home_config
from .conftest import RESIDENT_HZ
from .sdk import reference_space


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the space and the door keep their state."""
    return tmp_path_factory.mktemp("answering-door")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def space(directory: Path) -> AsyncIterator[Space]:
    """The space."""
    async with reference_space(directory) as space:
        yield space


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(directory: Path, space: Space, alsa_session: AlsaCards) -> AsyncIterator[Home]:
    """The door in it."""
    (directory / "home").mkdir()
    config = home_config(
        call=CallConfig(auto_answer=("/private/tablet",), auto_answer_delay_s=0, far_end_may_mute=True),
        door=DoorConfig(pulse_s=0.5, openers=("/private/tablet",)),
    )
    home = Home(directory / "home", config, space=space)
    await home.start()
    yield home
    await home.stop()


async def the_door_hears_the_tablet(alsa: AlsaCards) -> None:
    """Wait for the tablet's tone at the door's speaker."""
    with alsa.listen() as ear:
        await asyncio.to_thread(ear.wait_for_tone, RESIDENT_HZ)


async def the_door_hears_nothing(alsa: AlsaCards) -> None:
    """Wait for a whole second without the tablet's tone, which comes twice a second."""
    give_up = time.monotonic() + PATIENCE_S
    with alsa.listen() as ear:
        while tone_level_db(await asyncio.to_thread(ear.wait_for_seconds, 1.0), RESIDENT_HZ) > -60.0:
            assert time.monotonic() < give_up, "the door still hears the tablet"
