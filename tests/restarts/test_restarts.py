"""Restarts of the door, the space and a page, in any order: nobody rings by itself, and no press is lost.

A dozen orders run here; `make restarts` runs two hundred.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.restarts.house import House, restart
from tests.restarts.orders import Order

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

CHOSEN = [
    Order("idle", (("door", True), ("space", True), ("page", True))),
    Order("idle", (("space", False), ("door", False))),
    Order("ringing", (("door", True),)),
    Order("ringing", (("door", False),)),
    Order("ringing", (("space", True),)),
    Order("ringing", (("space", False), ("page", False))),
    Order("ringing", (("page", True),)),
    Order("ringing", (("page", True), ("door", True), ("space", True))),
    Order("talking", (("door", True),)),
    Order("talking", (("space", True),)),
    Order("talking", (("page", True),)),
    Order("talking", (("door", True), ("space", True))),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house whose processes run for all tests."""
    house = House(tmp_path_factory.mktemp("restarts"))
    try:
        await house.begin()
        yield house
    finally:
        await house.end()


@pytest_asyncio.fixture(loop_scope="session")
async def house(street: House) -> House:
    """The house at rest, whatever the test before left."""
    await street.mend()
    return street


@pytest.mark.parametrize("order", CHOSEN, ids=str)
async def test_no_restart_rings_by_itself_or_loses_a_press(house: House, order: Order) -> None:
    await restart(house, order.state, order.parties)


@pytest.mark.parametrize("party", ["door", "page"])
async def test_whoever_is_killed_in_a_call_and_stays_away_leaves_nobody_talking(house: House, party: str) -> None:
    await house.come_to("talking")
    await house.end_party("door" if party == "door" else "page", killed=True)
    await house.agrees("idle")


async def test_a_door_that_is_killed_as_it_rings_and_stays_away_leaves_no_bell_ringing(house: House) -> None:
    await house.come_to("ringing")
    await house.end_party("door", killed=True)
    await house.agrees("idle")
    assert house.told == {"lost"}


async def test_a_space_that_is_killed_as_it_rings_and_stays_away_leaves_no_bell_ringing(house: House) -> None:
    await house.come_to("ringing")
    await house.end_party("space", killed=True)
    for page in house.pages:
        await page.until(lambda page: not page.bells, "silence")


async def test_twenty_presses_are_one_call_and_all_are_in_the_log(house: House) -> None:
    before = len(house.rings)
    await house.press()
    for _ in range(19):
        await house.press_once_more()
    await house.hang_up()
    assert len(house.rings) == before + 1
    assert house.rung_without_a_press() == []
    await house.has_logged_every_press()
