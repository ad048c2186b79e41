"""How a phone or tablet joins the house."""

import pytest
from playwright.async_api import Page, expect

from tests.station.house import House
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_scanned_code_pairs_the_device_and_leaves_the_address(page: Page, house: House) -> None:
    await page.goto(f"{house.url}#pair=ABCD2345&name=Kitchen%20tablet")
    await state(page, "ready")
    assert page.url == house.url
    assert house.paired_names == ["Kitchen tablet"]


async def test_a_typed_code_pairs_the_device(page: Page, house: House) -> None:
    await page.goto(house.url)
    await state(page, "unpaired")
    await page.keyboard.type("ABCD2345")
    await page.fill("#pair-name", "Hall")
    await page.keyboard.press("Enter")
    await state(page, "ready")
    assert house.paired_names == ["Hall"]


async def test_a_wrong_code_is_told_in_words_and_can_be_corrected(page: Page, house: House) -> None:
    await page.goto(f"{house.url}#pair=ABCD2354")
    await expect(page.locator("#error")).to_contain_text("wrong, used or older than ten minutes")
    assert page.url == house.url
    await page.fill("#pair-code", "ABCD2345")
    await page.click("#pair")
    await state(page, "ready")
    await expect(page.locator("#error")).to_be_hidden()


async def test_an_empty_code_is_asked_for(page: Page, house: House) -> None:
    await page.goto(house.url)
    await page.click("#pair")
    await expect(page.locator("#error")).to_contain_text("Enter the code")


async def test_a_paired_device_needs_no_code_after_a_reload(station: Page) -> None:
    await station.reload()
    await state(station, "ready")


async def test_a_paired_device_does_not_use_up_another_code(station: Page, house: House) -> None:
    house.codes.add("SECOND")
    await station.goto(f"{house.url}#pair=SECOND")
    await expect(station).to_have_url(house.url)
    await state(station, "ready")
    assert house.codes == {"SECOND"}


async def test_a_device_that_the_house_dropped_says_so_and_asks_for_a_code(station: Page, house: House) -> None:
    house.secrets.clear()
    await house.cut()
    await state(station, "unpaired")
    await expect(station.locator("#error")).to_contain_text("not paired with the house any more")
    assert await station.evaluate("localStorage.getItem('intercom.device')") is None


async def test_a_house_that_lost_its_address_for_a_while_does_not_cost_the_pairing(station: Page, house: House) -> None:
    house.faults.unknown_name = True
    await house.cut()
    await expect(station.locator("#error")).to_contain_text("does not go by the address of this page")
    house.faults.unknown_name = False
    await state(station, "ready")
    await expect(station.locator("#error")).to_be_hidden()


async def test_a_new_link_pairs_a_dropped_device_again(station: Page, house: House) -> None:
    house.secrets.clear()
    house.codes.add("SECOND")
    await station.goto(f"{house.url}#pair=SECOND")
    await expect(station).to_have_url(house.url)  # else the page that is loaded anew takes the code out of its address
    await station.reload()
    await state(station, "unpaired")
    await station.goto(f"{house.url}#pair=SECOND")
    await state(station, "ready")


async def test_the_secret_is_nowhere_in_the_page(station: Page, house: House) -> None:
    (secret,) = house.secrets
    assert secret not in await station.content()
    assert secret not in station.url
