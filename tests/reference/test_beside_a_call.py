"""A button of the unmodified reference client that our space has nothing behind: pressed, it leaves the call alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from intercom.signalwire.wire.messages import INVALID_PARAMS
from intercom.space import Space

from ..space.conftest import House
from .components import ComponentPage, why_no_components
from .peer import Peer
from .sdk import ReferenceClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHARE = "sw-call-controls sw-ui-split-button:has(sw-ui-icon[name=screen-share]) button"


async def goes_on(client: ReferenceClient, call: str, peer: Peer) -> None:
    """The space refuses the screen, and the call goes on as if nothing had been."""
    await client.until_frame(lambda frame: frame.get("error", {}).get("code") == INVALID_PARAMS, "the refusal")
    peer.audio_frames, peer.loudness = 0, 0.0
    await peer.hears_and_sees(video=False)
    assert (await client.report(call))["status"] == "connected"


async def test_a_program_that_shares_its_screen_goes_on_talking(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        door = await house.join("door")
        peer = Peer(door)
        try:
            call = await client.dial("/private/door")
            await peer.answer()
            await client.reaches(call, "connected")
            members = await client.until_members(call, lambda members: members["self"], "its member")
            assert {"screenshare", "device"}.isdisjoint(members["capabilities"])
            await client.share_screen(call)
            await goes_on(client, call, peer)
            await door.hears_nothing()
        finally:
            await peer.close()


@pytest.mark.skipif(bool(why_no_components()), reason=why_no_components())
async def test_the_button_of_the_components_leaves_the_call_alone(browser: Browser, space: Space, house: House) -> None:
    async with ComponentPage(browser, space, "tablet") as page:
        door = await house.join("door")
        peer = Peer(door)
        try:
            call = await page.dial("/private/door")
            await page.show(call)
            await peer.answer()
            await page.reaches(call, "connected")
            await page.until_members(call, lambda members: "door" in members, "its members")
            await page.click(SHARE)
            await goes_on(page, call, peer)
            await door.hears_nothing()
        finally:
            await peer.close()
