"""How a device that has joined lets the next one in."""

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.test_page import FAINT, NAMELESS, SMALL
from tests.station.waiting import state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRAWN = "document.querySelector('#invite-qr').naturalWidth > 0"
ON_THE_NETWORK = "https://192.168.1.20:8443/station/"


async def invite(station: Page) -> None:
    await station.click("#add-device")
    await until(station, DRAWN)


async def test_a_fresh_code_is_shown_to_scan_and_to_type(station: Page, house: House) -> None:
    house.invites_to = ON_THE_NETWORK
    await invite(station)
    (code,) = house.codes
    await expect(station.locator("#invite-code")).to_have_text(code)
    await expect(station.locator("#invite-page")).to_have_text(ON_THE_NETWORK)
    await expect(station.locator("#invite-good")).to_contain_text("one device in, until")
    await expect(station.locator("#invite-here")).to_be_hidden()


async def test_every_press_makes_another_code(station: Page, house: House) -> None:
    for _ in range(2):
        await invite(station)
        await station.click("#invite-close")
    assert len(house.codes) == 2


async def test_a_house_that_serves_one_computer_says_so(station: Page) -> None:
    await invite(station)
    await expect(station.locator("#invite-here")).to_contain_text("Only this computer")


async def test_a_closed_code_is_nowhere_in_the_page(station: Page, house: House) -> None:
    await invite(station)
    (code,) = house.codes
    assert code in await station.content()
    await station.keyboard.press("Escape")
    await expect(station.locator("#invite")).to_be_hidden()
    await until(station, f"!document.documentElement.outerHTML.includes('{code}')")
    await until(station, "document.activeElement.id === 'add-device'")


async def test_a_visitor_comes_first(station: Page, house: House, door: Door) -> None:
    await invite(station)
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await expect(station.locator("#invite")).to_be_hidden()
    await station.click("#answer")
    await state(station, "in-call")


async def test_a_code_that_comes_after_the_visitor_stays_away(station: Page, house: House, door: Door) -> None:
    house.code_made.clear()
    async with station.expect_response("**/api/space/pairing"):
        await station.click("#add-device")
        await house.invite("c1", await door.offer())
        await state(station, "ringing")
        house.code_made.set()
    await until(station, "document.querySelector('#add-device').ariaBusy === 'false'")
    await expect(station.locator("#invite")).to_be_hidden()


async def test_a_code_that_is_too_old_gives_way_to_a_new_one(station: Page, house: House) -> None:
    house.code_lifetime_s = 2
    await invite(station)
    await expect(station.locator("#invite-old")).to_be_visible()
    await expect(station.locator("#invite-code")).to_be_hidden()
    house.code_lifetime_s = 600
    await station.click("#invite-again")
    await expect(station.locator("#invite-code")).to_be_visible()
    assert len(house.codes) == 2


async def test_a_house_that_does_not_answer_is_told_in_words(station: Page, house: House) -> None:
    house.faults.away = True
    await station.click("#add-device")
    await expect(station.locator("#error")).to_contain_text("The house does not answer")
    await expect(station.locator("#invite")).to_be_hidden()


async def test_a_device_that_was_dropped_cannot_invite(station: Page, house: House) -> None:
    house.secrets.clear()
    await station.click("#add-device")
    await expect(station.locator("#error")).to_contain_text("not paired with the house any more")
    assert house.codes == set()


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_code_can_be_read_touched_and_named(station: Page, scheme: str) -> None:
    await station.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await invite(station)
    assert await station.evaluate(FAINT) == []
    assert await station.evaluate(SMALL) == []
    assert await station.evaluate(NAMELESS) == []


@pytest.mark.parametrize(("width", "height"), [(320, 568), (390, 844), (844, 390), (768, 1024), (1280, 800)])
async def test_the_code_is_not_cut_off(station: Page, house: House, width: int, height: int) -> None:
    house.invites_to = ON_THE_NETWORK
    await station.set_viewport_size({"width": width, "height": height})
    await invite(station)
    for selector in ("#invite-qr", "#invite-code", "#invite-close"):
        await expect(station.locator(selector)).to_be_in_viewport(ratio=0.99)
