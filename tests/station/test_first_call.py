"""Pairing, and a call with real media both ways."""

import pytest
from playwright.async_api import Page

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_scanned_code_pairs_the_device_and_leaves_the_address(page: Page, house: House) -> None:
    await page.goto(f"{house.url}#pair=ABCD2345")
    await page.wait_for_selector("body[data-state=ready]")
    assert page.url == house.url
    assert house.paired_names == ["Linux computer"]


async def test_an_answered_call_has_sound_both_ways_and_a_picture(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await station.wait_for_selector("body[data-state=ringing]")
    await station.click("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await door.connected.wait()
    await door.heard_something.wait()
    await until(station, "document.querySelector('#remote-video').currentTime > 0.5")
    assert await station.evaluate("document.body.dataset.state") == "in-call"
