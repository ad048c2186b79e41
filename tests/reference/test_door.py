"""The door itself, with real PCMs, and the unmodified reference client as the resident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from intercom.config import CallConfig
from intercom.door.machine import State
from intercom.space import Space

from ..alsa import AlsaCards, alsa_cards, alsa_session, tone
from ..e2e.home import Home, home_config
from .conftest import RESIDENT_HZ
from .sdk import WAIT_S, ReferenceClient

__all__ = ["alsa_cards", "alsa_session"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

VISITOR_HZ = 1100.0


@pytest_asyncio.fixture(loop_scope="session")
async def home(tmp_path: Path, space: Space, alsa_cards: AlsaCards) -> AsyncIterator[Home]:
    """The door at the reference client's space; the tablet is answered at once."""
    config = home_config(call=CallConfig(auto_answer=("/private/tablet",), auto_answer_delay_s=0))
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home", config, space=space)
    await home.start()
    yield home
    await home.stop()


async def they_hear_each_other(home: Home, client: ReferenceClient, call: str, alsa_cards: AlsaCards) -> None:
    with alsa_cards.listen() as ear, alsa_cards.speak(tone(VISITOR_HZ, 3 * WAIT_S)):
        async with asyncio.timeout(WAIT_S):
            while abs(await client.heard_tone(call) - VISITOR_HZ) > 10.0:
                pass
        await home.sounds(ear, RESIDENT_HZ)


async def they_hear_and_see_each_other(home: Home, client: ReferenceClient, call: str, alsa_cards: AlsaCards) -> None:
    await they_hear_each_other(home, client, call, alsa_cards)
    before = (await client.report(call)).get("videoFrames", 0)
    await client.until_report(call, lambda r: r.get("videoFrames", 0) > before + 10, "ten more frames of the picture")


async def test_the_button_rings_the_reference_client_which_answers_opens_and_hangs_up(
    browser: Browser, space: Space, home: Home, alsa_cards: AlsaCards
) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        await home.press()
        call = await client.ringing()
        await client.answer(call)
        await client.reaches(call, "connected")
        await home.until(State.IN_CALL)
        await they_hear_and_see_each_other(home, client, call, alsa_cards)
        await client.digits(call, "9")
        await home.wait_for(home.relay_was_on, "the relay")
        await client.hangup(call)
        await home.until(State.IDLE)


async def test_the_reference_client_dials_the_door_and_is_answered_by_itself(
    browser: Browser, space: Space, home: Home, alsa_cards: AlsaCards
) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        call = await client.dial("/private/door")
        await client.reaches(call, "connected")
        await home.until(State.IN_CALL)
        await they_hear_and_see_each_other(home, client, call, alsa_cards)
        await client.hangup(call)
        await home.until(State.IDLE)


async def test_the_door_takes_the_reference_clients_ice_restart(
    browser: Browser, space: Space, home: Home, alsa_cards: AlsaCards
) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        await client.open(unpooled=True)
        call = await client.dial("/private/door")
        await client.reaches(call, "connected")
        await client.ice_restart(call)
        await client.modified(call)
        await they_hear_and_see_each_other(home, client, call, alsa_cards)
        await client.hangup(call)
        await home.until(State.IDLE)


@pytest.mark.parametrize("more", [{}, {"reconnectAttachedCalls": True}], ids=["told", "remembered"])
async def test_a_reloaded_page_gets_its_call_with_the_door_back(
    browser: Browser, space: Space, home: Home, alsa_cards: AlsaCards, more: dict[str, bool]
) -> None:
    """The space tells the new page of its call; it asks for sound alone, for only the old one knew of a picture."""
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        call = await client.dial("/private/door")
        await client.reaches(call, "connected")
        await home.until(State.IN_CALL)
        await client.open(**more)
        await client.until_state(lambda state: call in state["calls"], "its call back")
        await client.reaches(call, "connected")
        await they_hear_each_other(home, client, call, alsa_cards)
