"""A page that hangs is nobody whom a call rings, although its browser keeps the socket alive."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser

from intercom.space import Space

from ..space.conftest import House
from .sdk import ReferenceClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

FREEZE_S = 60.0
"""Within this the space has noticed; it needs six seconds on a quiet machine."""


async def test_a_frozen_page_does_not_ring_and_rings_again_once_it_wakes(
    browser: Browser, space: Space, house: House
) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        door, gate = await house.join("door"), await house.join("gate")
        hall = await house.station("hall")
        debugger = await client.page.context.new_cdp_session(client.page)
        await debugger.send("Debugger.enable")
        await debugger.send("Debugger.pause")

        await door.dial("/private/house")
        await hall.ringing()
        async with asyncio.timeout(FREEZE_S):
            while "tablet" in space.exchange.online():
                await asyncio.sleep(0.05)
        await door.hears_nothing()
        await gate.dial("/private/tablet")
        assert (await gate.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"

        await debugger.send("Debugger.resume")
        await debugger.send("Debugger.disable")
        rung = await client.ringing()
        assert (await client.report(rung))["direction"] == "inbound"
        await client.reject(rung)
        await hall.hears_nothing()
