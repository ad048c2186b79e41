"""The attack: somebody with one phone of the house guesses the door's code in a call, while nobody else looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom.config import AudioConfig, CameraConfig, DoorConfig
from intercom.door.machine import State
from tests.e2e.home import Home, home_config
from tests.security.test_the_gates_sd_card import Thief
from tests.space.conftest import WAIT_S, Client, House

PAGE = "intercom-station/0.1 rings/1"


async def alarms(page: Client) -> list[dict[str, Any]]:
    """What a page is told next of the doors' alarms."""
    while (event := await asyncio.wait_for(page.room_events.get(), WAIT_S))["event_type"] != "intercom.alarms":
        pass
    return list(event["params"]["doors"])


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """A house whose residents open the door with a code, also in calls that they make."""
    config = home_config(
        audio=AudioConfig(card="simulated"),
        camera=CameraConfig(source="off"),
        door=DoorConfig(open_digits="7351", openers=("residents",)),
    )
    home = Home(tmp_path, config)
    await home.start()
    yield home
    await home.stop()


async def test_every_page_of_the_house_is_told(home: Home) -> None:
    async with aiohttp.ClientSession() as http:
        house = House(home.space, http)
        page = await house.station("hall", agent=PAGE)
        phone = await house.station("kitchen")
        dialog = {"destination_number": "/private/door"}
        await phone.verto("verto.invite", "guessing", sdp=await Thief.offer(), dialog=dialog)
        await home.until(State.RINGING)
        assert home.door is not None
        home.door.calls.press()
        await phone.heard("verto.answer")
        for _ in range(3):
            await phone.verto("verto.info", "guessing", dtmf="0000")
        assert await alarms(page) == [{"name": "Front door", "address": "/private/door", "alarms": ["wrong_codes"]}]
        for client in house.clients:
            await client.close()
    assert not home.relay_was_on()
