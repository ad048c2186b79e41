"""The unmodified reference client connects, registers, is called, calls; both directions of media are measured."""

from __future__ import annotations

from playwright.async_api import Browser

from intercom.space import Space

from ..space.conftest import House
from .peer import Peer
from .sdk import ReferenceClient


async def test_it_connects_registers_and_knows_who_it_is(browser: Browser, space: Space) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        state = await client.state()
        assert state["connected"]
        assert state["registered"]
        assert space.exchange.online() == ["tablet"]
        assert (await client.user())["addresses"][0]["name"] == "/private/tablet"


async def test_the_door_calls_it_and_both_hear_and_see_each_other(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        door = await house.join("door")
        peer = Peer(door, tone_hz=700.0)
        try:
            await client.answer_calls()
            await peer.dial("/private/house")
            await peer.answered()
            call = await client.ringing()
            await client.reaches(call, "connected")
            await peer.hears_and_sees()
            await client.until_report(call, lambda r: r.get("videoFrames", 0) > 5, "five frames of the door's picture")
            assert abs(await client.heard_tone(call) - 700.0) < 10.0
            await client.digits(call, "9")
            assert (await door.heard("verto.info"))["dtmf"] == "9"
            await client.hangup(call)
            assert (await door.heard("verto.bye"))["cause"] == "NORMAL_CLEARING"
        finally:
            await peer.close()
