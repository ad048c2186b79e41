"""Opening the door from the page."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import showed

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("how", ["#open-door", "o"])
async def test_it_asks_the_door_to_open_and_sends_no_digits(station: Page, house: House, door: Door, how: str) -> None:
    await house.connect_call(station, door, "c1")
    await (station.click(how) if how.startswith("#") else station.keyboard.press(how))
    info = await house.wait_for_verto("verto.info")
    assert info == {"sessid": "c1", "dialogParams": {"callID": "c1"}, "intercom": {"door": "open"}}
    await showed(station, "data-door=asked")


async def test_it_shows_open_only_when_the_door_says_so(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await station.click("#open-door")
    await house.wait_for_verto("verto.info")
    await expect(station.locator("#door-pill")).to_be_hidden()
    await house.door_says("c1", "open")
    await expect(station.locator("#door-pill")).to_be_visible()
    await expect(station.locator("#announcer")).to_have_text("The door is open")
    await house.door_says("c1", "closed")
    await expect(station.locator("#door-pill")).to_be_hidden()
    await expect(station.locator("#open-words")).to_have_text("Open the door")


async def test_what_a_phone_says_of_a_door_is_not_shown(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer(), kind="resident")
    await expect(station.locator("#ringing-title")).to_contain_text("phone or tablet")
    await house.door_says("c1", "open")
    await station.click("#answer")
    await house.wait_for_verto("verto.answer")
    await expect(station.locator("#announcer")).not_to_have_text("The door is open")
    await expect(station.locator("#door-pill")).to_be_hidden()


async def test_a_door_that_does_not_confirm_is_told(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await station.click("#open-door")
    await expect(station.locator("#error")).to_contain_text("did not confirm")
    await expect(station.locator("#open-words")).to_have_text("Open the door")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ({"reason": "wrong_code"}, "the code was wrong"),
        ({"reason": "wrong_code", "for_s": 30}, "Too many wrong codes"),
        ({"reason": "deaf", "for_s": 28}, "Too many wrong codes"),
        ({"reason": "tampered"}, "box was opened a short while ago"),
        ({"reason": "not_named"}, "This device may not open the door"),
        ({"reason": "something new"}, "the house refused the request"),
        ({}, "the house refused the request"),
    ],
)
async def test_a_door_that_refuses_is_told_with_the_reason(
    station: Page, house: House, door: Door, why: dict[str, Any], words: str
) -> None:
    await house.connect_call(station, door, "c1")
    await station.click("#open-door")
    await house.wait_for_verto("verto.info")
    await house.door_says("c1", "refused", **why)
    await expect(station.locator("#error")).to_contain_text(words)
    await expect(station.locator("#open-words")).to_have_text("Open the door")


async def test_the_key_does_nothing_outside_a_call(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await station.wait_for_selector("body[data-state=ringing]")
    await station.keyboard.press("o")
    await station.keyboard.press("Escape")
    await house.wait_for_verto("verto.bye")
    assert not any(frame["params"]["message"]["method"] == "verto.info" for frame in house.verto_frames())
