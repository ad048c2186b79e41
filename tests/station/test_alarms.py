"""The alarms of a door, on a page of the real space."""

import pytest
from playwright.async_api import Page, expect

from intercom.space import Space
from tests.station.door_line import DoorLine
from tests.station.house_of_its_own import line, space
from tests.station.waiting import state

__all__ = ["line", "space"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_page_shows_what_is_wrong_at_a_door_until_it_is_over(
    page: Page, space: Space, line: DoorLine
) -> None:
    await line.ask("intercom.alarms", {"alarms": ["tamper"]})
    await page.goto(space.invite().url)
    await state(page, "ready")
    alarms = page.locator("#alarms")
    await expect(alarms).to_contain_text("Front door: somebody opened the door station")
    await line.ask("intercom.alarms", {"alarms": ["tamper", "door_forced"]})
    await expect(alarms.locator("p")).to_have_count(2)
    await page.reload()
    await expect(alarms.locator("p")).to_have_count(2)
    await line.ask("intercom.alarms", {"alarms": []})
    await expect(alarms).to_be_hidden()
