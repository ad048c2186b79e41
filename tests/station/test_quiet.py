"""Quiet hours on a page of the real space: what it shows, what it sounds, and what it asks for."""

from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from intercom.space import Space
from tests.station.conftest import new_profile
from tests.station.door import Door
from tests.station.door_line import DoorLine
from tests.station.house_of_its_own import line, space
from tests.station.test_bell import LISTEN
from tests.station.waiting import state, until

__all__ = ["line", "space"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def home(page: Page, space: Space, line: DoorLine) -> Page:
    """A paired page whose settings for quiet are open; its strikes of the bell are counted."""
    del line  # the door is there
    await page.goto(space.invite().url)
    await state(page, "ready")
    await page.evaluate(LISTEN)
    await page.click("#quiet summary")
    return page


async def test_a_quiet_page_shows_who_rings_without_a_sound_until_it_is_let_ring_again(
    home: Page, line: DoorLine, door: Door
) -> None:
    await home.select_option("#quiet-for", "2")
    await home.click("#quiet-on")
    await expect(home.locator("#quiet-now")).to_contain_text("This device is quiet until")
    await expect(home.locator("#quiet-state")).to_have_text("on")
    call_id = await line.ring(door)
    await state(home, "ringing")
    await expect(home.locator("#silent-bell")).to_contain_text("Quiet")
    assert await home.evaluate("window.struck") == 0
    await line.verto("verto.bye", {"dialogParams": {"callID": call_id}, "cause": "ORIGINATOR_CANCEL"})
    await state(home, "ready")
    await home.click("#quiet-off")
    await expect(home.locator("#quiet-now")).to_be_hidden()
    await line.ring(door)
    await until(home, "window.struck > 0")
    await expect(home.locator("#silent-bell")).to_be_hidden()


async def test_a_page_in_its_daily_hours_is_left_alone_where_its_owner_wants_no_rings_shown(
    home: Page, line: DoorLine, door: Door
) -> None:
    await home.uncheck("#quiet-notify")
    now = datetime.now(UTC).astimezone()
    begins, ends = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (-2, 12))
    await home.fill("#quiet-from", begins)
    await home.fill("#quiet-to", ends)
    await home.locator("#quiet-to").blur()
    await expect(home.locator("#quiet-now")).to_contain_text("It does not show who rings.")
    await line.ring(door)
    assert (await line.heard("verto.bye"))["cause"] == "NO_USER_RESPONSE"
    await expect(home.locator("#last-call")).to_contain_text("Nobody answered: Front door at")
    await state(home, "ready")


async def test_what_one_page_wants_of_the_whole_house_every_page_shows(
    home: Page, browser: Browser, space: Space, line: DoorLine
) -> None:
    context = await new_profile(browser)
    other = await context.new_page()
    await other.goto(space.invite(name="Tablet").url)
    await state(other, "ready")
    await home.click("#quiet-house-on")
    for page in (home, other):
        await expect(page.locator("#quiet-now")).to_contain_text("The whole house is quiet until that is turned off.")
    await line.ask("intercom.quiet", {"of": "house", "quiet": False})
    for page in (home, other):
        await expect(page.locator("#quiet-now")).to_be_hidden()
    await context.close()
