"""A call has members for the unmodified reference client: what its buttons claim is so at the far end's packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from intercom.config import CallConfig
from intercom.door.machine import State
from intercom.panel import Pattern
from intercom.space import Space

from ..alsa import AlsaCards, alsa_cards, alsa_session, tone
from ..e2e.home import Home, home_config
from ..space.conftest import House
from .peer import Peer
from .sdk import WAIT_S, ReferenceClient
from .test_door import VISITOR_HZ

__all__ = ["alsa_cards", "alsa_session"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


def me(field: str, value: object) -> Callable[[dict[str, Any]], bool]:
    """Whether its own member has this value."""
    return lambda members: members["self"] is not None and members["self"][field] == value


async def test_its_microphone_button_tells_the_truth(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        peer = Peer(await house.join("door"))
        try:
            call = await client.dial("/private/door")
            await peer.answer()
            await client.reaches(call, "connected")
            await peer.hears_and_sees()
            members = await client.until_members(call, lambda m: m["self"] and m["layouts"], "its member and layouts")
            assert {member["name"] for member in members["participants"]} == {"tablet", "door"}
            assert await client.act(call, "self", "toggleMute") == "done"
            await client.until_members(call, me("audioMuted", True), "the muted button")
            await peer.hears_silence()
            assert await client.act(call, "self", "toggleMute") == "done"
            await client.until_members(call, me("audioMuted", False), "the open button")
            peer.loudness = 0.0
            await peer.hears_and_sees(video=False)
            assert await client.act(call, "self", "toggleHandraise") == "done"
            await client.until_members(call, me("handraised", True), "the raised hand")
            assert await client.act(call, "call", "toggleLock") == "done"
            await client.until_members(call, lambda m: m["locked"], "the lock")
            assert await client.act(call, "call", "setLayout", "full-screen") == "done"
            await client.until_members(call, lambda m: m["layout"] == "full-screen", "the layout")
            assert "403" in await client.act(call, "other", "mute")
            assert "400" in await client.act(call, "self", "setAudioInputVolume", 51)
            assert await client.act(call, "other", "remove") == "done"
            await client.reaches(call, "destroyed")
        finally:
            await peer.close()


@asynccontextmanager
async def home_of(tmp_path: Path, space: Space, **call: Any) -> AsyncIterator[Home]:
    """The door at the reference client's space, which answers the tablet at once."""
    config = home_config(call=CallConfig(auto_answer=("/private/tablet",), auto_answer_delay_s=0, **call))
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home", config, space=space)
    await home.start()
    try:
        yield home
    finally:
        await home.stop()


def light(home: Home) -> Pattern:
    """What the door's light shows."""
    assert home.door is not None
    return home.door.feedback.pattern


async def hears(client: ReferenceClient, call: str, hz: float) -> None:
    """Wait until the resident hears this tone; 0: nothing."""
    async with asyncio.timeout(WAIT_S):
        while abs(await client.heard_tone(call) - hz) > 10.0:
            pass


async def test_the_door_is_muted_by_the_house_where_it_is_allowed_and_its_light_says_so(
    browser: Browser, space: Space, alsa_cards: AlsaCards, tmp_path: Path
) -> None:
    async with (
        home_of(tmp_path, space, far_end_may_mute=True) as home,
        ReferenceClient(browser, space, "tablet", groups=("house",)) as client,
    ):
        call = await client.dial("/private/door")
        await client.reaches(call, "connected")
        await home.until(State.IN_CALL)
        await client.until_members(call, lambda m: "member.mute.audio" in m["capabilities"], "the capability")
        with alsa_cards.speak(tone(VISITOR_HZ, 6 * WAIT_S)):
            await hears(client, call, VISITOR_HZ)
            assert await client.act(call, "other", "mute") == "done"
            await hears(client, call, 0.0)
            await home.wait_for(lambda: light(home) is Pattern.MUTED, "the light of a muted call")
            assert await client.act(call, "other", "unmute") == "done"
            await hears(client, call, VISITOR_HZ)
            assert await client.act(call, "self", "toggleDeaf") == "done"
            await hears(client, call, 0.0)
        await client.hangup(call)
        await home.until(State.IDLE)


async def test_the_door_is_not_muted_by_the_house_where_nobody_allowed_it(
    browser: Browser, space: Space, alsa_cards: AlsaCards, tmp_path: Path
) -> None:
    async with (
        home_of(tmp_path, space) as home,
        ReferenceClient(browser, space, "tablet", groups=("house",)) as client,
    ):
        call = await client.dial("/private/door")
        await client.reaches(call, "connected")
        await home.until(State.IN_CALL)
        members = await client.until_members(call, lambda m: m["self"], "its member")
        assert "member.mute.audio" not in members["capabilities"]
        with alsa_cards.speak(tone(VISITOR_HZ, 6 * WAIT_S)):
            assert "403" in await client.act(call, "other", "mute")
            await hears(client, call, VISITOR_HZ)
        assert light(home) is Pattern.IN_CALL
        await client.hangup(call)
        await home.until(State.IDLE)
