"""A tablet on the wall: dark while nobody is near, awake when it rings."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.station.conftest import new_profile
from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCK = """window.skippedMs = 0;
    window.hour = 12;
    const now = performance.now.bind(performance);
    performance.now = () => now() + window.skippedMs;
    Date.prototype.getHours = () => window.hour;"""
"""The tablet's clock, which a test may put forward."""
SHAPES = [(390, 844), (844, 390), (768, 1024), (1024, 768), (1280, 800), (1920, 1080)]


@pytest_asyncio.fixture(loop_scope="session")
async def tablet(browser: Browser, house: House) -> AsyncIterator[Page]:
    """A tablet that hangs on the wall."""
    context = await new_profile(browser, viewport={"width": 1280, "height": 800}, has_touch=True)
    await context.grant_permissions(["microphone"])
    page = await context.new_page()
    await page.add_init_script(CLOCK)
    await page.goto(f"{house.url}?kiosk#pair={next(iter(house.codes))}")
    await state(page, "ready")
    await page.tap("#walk-close")
    yield page
    await context.close()


async def leave_alone(page: Page, *, hour: int = 12) -> None:
    """Let a minute pass in which nobody is near."""
    await page.evaluate(f"window.hour = {hour}; window.skippedMs += 61_000")
    await expect(page.locator("#dim")).to_be_visible()


async def test_it_dims_while_nobody_is_near_and_more_at_night(tablet: Page) -> None:
    await leave_alone(tablet)
    await expect(tablet.locator("body")).to_have_attribute("data-dim", "idle")
    await leave_alone(tablet, hour=23)
    await expect(tablet.locator("body")).to_have_attribute("data-dim", "night")


async def test_the_tap_that_wakes_it_presses_nothing(tablet: Page) -> None:
    await leave_alone(tablet)
    box = await tablet.locator("#call-door").bounding_box()
    assert box is not None
    await tablet.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await expect(tablet.locator("#dim")).to_be_hidden()
    await expect(tablet.locator("body")).to_have_attribute("data-state", "ready")
    await tablet.tap("#call-door")
    await state(tablet, "calling")


async def test_it_wakes_when_it_rings(tablet: Page, house: House, door: Door) -> None:
    await leave_alone(tablet, hour=3)
    await house.invite("c1", await door.offer())
    await state(tablet, "ringing")
    await expect(tablet.locator("#dim")).to_be_hidden()
    await expect(tablet.locator("#answer")).to_be_in_viewport(ratio=0.99)


async def test_a_list_that_somebody_left_open_does_not_shine_all_night(tablet: Page) -> None:
    await tablet.tap("#visitors-open")
    await expect(tablet.locator("#visitors")).to_be_visible()
    await leave_alone(tablet, hour=23)
    await expect(tablet.locator("#visitors")).to_be_hidden()


async def test_it_shows_the_time_and_the_doors_and_its_settings_on_demand(tablet: Page) -> None:
    await expect(tablet.locator("#bell-row")).to_be_hidden()
    await expect(tablet.locator("#call-door")).to_be_in_viewport(ratio=0.99)
    await tablet.tap("#wall-settings")
    await expect(tablet.locator("#wall")).to_be_checked()
    await tablet.uncheck("#wall")
    await expect(tablet.locator("body")).to_have_attribute("data-wall", "off")
    await expect(tablet.locator("#wall-settings")).to_be_hidden()


@pytest.mark.usefixtures("service_worker")  # with it the page has more to say of notifications
async def test_a_page_that_waits_fits_every_shape_of_screen(station: Page) -> None:
    await expect(station.locator("body")).to_have_attribute("data-wall", "off")
    await station.click("#walk-close")
    for width, height in SHAPES:
        await station.set_viewport_size({"width": width, "height": height})
        assert await station.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, height)
        for selector in ("#ready-title", "#call-door"):
            await expect(station.locator(selector)).to_be_in_viewport(ratio=0.99)
