"""A device that has joined proves that it rings: trust, name, microphone, notifications, page open, page closed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import PATIENCE_MS, state

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("service_worker")]


REFUSED = """
    navigator.permissions.query = async () => { throw new TypeError("no such query"); };
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError"); };
"""
"""A browser that was told to keep the microphone from pages, and that cannot be asked about it."""


async def stands(page: Page, name: str, how: str) -> None:
    """Wait until a step stands so."""
    await expect(page.locator(f"[data-step={name}]")).to_have_attribute("data-state", how)


async def is_open(page: Page, name: str) -> None:
    """Wait until this step is the one that is shown."""
    await expect(page.locator(f"[data-step={name}] > button")).to_have_attribute("aria-expanded", "true")


@pytest_asyncio.fixture(loop_scope="session")
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A house of its own."""
    running = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path)
    await running.start()
    yield running
    await running.stop()


async def test_a_device_that_joins_is_led_to_its_first_ring_and_its_owner_confirms_it(page: Page, space: Space) -> None:
    await page.goto(space.invite().url)
    await state(page, "ready")
    await is_open(page, "name")
    await stands(page, "trust", "done")
    await stands(page, "microphone", "done")
    await page.fill("#walk-name", "Anna's phone")
    await page.click("#walk-rename")
    await stands(page, "name", "done")
    assert [device.name for device in space.store.devices()] == ["Anna's phone"]
    await page.click("[data-step=open] > button")
    await page.click("#walk-ring")
    await expect(page.locator("#walk-ringing")).to_be_visible()
    await expect(page).to_have_title("\U0001f514 Test ring")
    assert space.store.devices()[0].rang_at == 0
    await page.click("#walk-heard")
    await stands(page, "open", "done")
    await expect(page).to_have_title("Intercom")
    assert space.store.devices()[0].rang_at > 0
    await page.click("#walk-house summary")
    await expect(page.locator("#walk-devices")).to_contain_text(re.compile(r"Anna's phone: page \w+ \d+, 20\d\d"))
    await expect(page.locator("#walk-devices")).to_contain_text("connected now, push off, last receipt never")


async def test_a_new_name_is_what_the_rest_of_the_house_reads(page: Page, space: Space) -> None:
    await page.goto(space.invite(name="Kitchen").url)
    await state(page, "ready")
    await stands(page, "name", "done")
    await page.click("[data-step=name] > button")
    await page.fill("#walk-name", "Hall")
    await page.click("#walk-rename")
    await expect(page.locator("[data-step=name] .step-words")).to_contain_text("as Hall")
    assert space.store.display_name("/private/kitchen") == "Hall"


async def test_a_name_that_its_owner_has_written_is_not_lost_by_a_late_answer_of_the_house(
    page: Page, house: House
) -> None:
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()

    async def hold_the_first(route: Route) -> None:
        if held.done():
            await route.continue_()
        else:
            held.set_result(route)

    await page.route("**/api/space/device", hold_the_first)
    await page.goto(f"{house.url}#pair=ABCD2345")
    await is_open(page, "name")
    await page.fill("#walk-name", "Hall")
    await page.locator("#walk-name").blur()
    async with page.expect_request("**/api/space/push/devices"):  # once the page has taken the answer
        await (await asyncio.wait_for(held, PATIENCE_MS / 1000)).continue_()
    await page.click("#walk-rename")
    await stands(page, "name", "done")
    assert house.device["name"] == "Hall"
    await expect(page.locator("#walk-name")).to_have_value("Hall")


async def test_every_step_can_be_left_for_later_and_come_back_to(station: Page) -> None:
    for name in ("name", "push", "open"):
        if name == "push":
            await expect(station.locator("body")).to_have_attribute("data-push", "off")
        await is_open(station, name)
        await station.click("#walk-later")
    await station.click("#walk-done")
    await expect(station.locator("#walk")).to_be_hidden()
    await station.reload()
    await state(station, "ready")
    await expect(station.locator("#walk")).to_be_hidden()
    await station.click("#walk-open")
    await is_open(station, "name")


async def test_a_walk_goes_on_where_it_was_when_the_page_comes_back(station: Page) -> None:
    await station.click("#walk-later")
    await station.reload()
    await state(station, "ready")
    await expect(station.locator("#walk")).to_be_visible()
    await expect(station.locator("[data-step=name] > button")).to_have_attribute("aria-expanded", "false")


async def test_whoever_hears_nothing_is_told_what_to_do(station: Page, house: House) -> None:
    await station.click("[data-step=open] > button")
    await station.click("#walk-ring")
    await station.click("#walk-unheard")
    await expect(station.locator("[data-step=open] .step-words")).to_contain_text("silent mode")
    await stands(station, "open", "todo")
    assert house.device["rang_at"] == 0
    await expect(station.locator("#walk-ring")).to_be_enabled()


async def test_a_confirmation_that_the_house_did_not_take_is_asked_for_again(station: Page, house: House) -> None:
    await station.click("[data-step=open] > button")
    await station.click("#walk-ring")
    await expect(station.locator("#walk-ringing")).to_be_visible()
    house.faults.away = True
    await station.click("#walk-heard")
    await expect(station.locator("[data-step=open] .step-words")).to_contain_text("The house did not answer")
    house.faults.away = False
    await station.click("#walk-ring")
    await station.click("#walk-heard")
    await stands(station, "open", "done")


async def test_somebody_at_the_door_comes_before_a_test(station: Page, house: House, door: Door) -> None:
    await station.click("[data-step=open] > button")
    await station.click("#walk-ring")
    await expect(station.locator("#walk-ringing")).to_be_visible()
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await expect(station.locator("#walk")).to_be_hidden()
    await expect(station).to_have_title("\U0001f514 Front door is ringing")
    await station.click("#decline")
    await state(station, "ready")
    await expect(station.locator("#walk-ring")).to_be_visible()


async def test_a_test_that_nobody_asked_for_here_does_not_ring_this_page(station: Page, house: House) -> None:
    await house.push_event("intercom.test", {})
    await house.push_event("intercom.rings", {"rings": []})
    await station.click("[data-step=open] > button")
    await expect(station.locator("#walk-ring")).to_be_visible()
    await expect(station.locator("#walk-ringing")).to_be_hidden()


async def test_a_blocked_microphone_is_no_end_of_the_walk_and_says_what_to_do(page: Page, house: House) -> None:
    await page.add_init_script(REFUSED)
    await page.goto(f"{house.url}#pair=ABCD2345&name=Hall")
    await state(page, "ready")
    await page.click("[data-step=microphone] > button")
    await page.click("#walk-microphone")
    await stands(page, "microphone", "cannot")
    await expect(page.locator("[data-step=microphone] .step-words")).to_contain_text("choose Permissions, Microphone")


async def test_a_device_that_shows_no_notifications_is_told_that_it_cannot_ring_closed(station: Page) -> None:
    await stands(station, "closed", "cannot")
    await station.click("[data-step=closed] > button")
    await expect(station.locator("[data-step=closed] .step-words")).to_contain_text("Turn them on first")
    await expect(station.locator("#walk-wake")).to_be_hidden()


async def test_a_code_that_another_device_is_just_joining_with_is_told_in_words(page: Page, space: Space) -> None:
    invitation = space.invite()
    space.codes.claim(invitation.code)
    await page.goto(invitation.url)
    await state(page, "unpaired")
    await expect(page.locator("#error")).to_contain_text("Another device is just joining with that code")
