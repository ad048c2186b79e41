"""The rings of the house on one page: what it says of each, and that no bell outlives its ring."""

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDS = (
    ("answered", "Ben", "Answered by Ben at"),
    ("refused", "Ben", "Declined by Ben at"),
    ("opened", "Anna's key", "Door opened by Anna's key at"),
    ("given_up", "", "Missed: Front door at"),
    ("missed", "", "Nobody answered: Front door at"),
    ("lost", "", "Missed: Front door, which lost its connection at"),
)


async def test_a_ring_that_is_over_silences_the_page_which_says_who_took_it(
    station: Page, house: House, door: Door
) -> None:
    offer = await door.offer()
    for how, by, words in ENDS:
        await house.tell_ring(how, "ringing")
        await house.invite(f"call-{how}", offer, ring=how)
        await state(station, "ringing")
        await house.tell_ring(how, how, by)
        await state(station, "ready")
        await house.bye(f"call-{how}", "LOSE_RACE")
        await expect(station.locator("#last-call")).to_contain_text(words)
    await house.tell_ring("answered", "answered", "Ben", opened_by="Ben")
    await expect(station.locator("#last-call")).to_contain_text("Answered by Ben, door opened by Ben at")


async def test_the_end_of_one_ring_does_not_silence_another(station: Page, house: House, door: Door) -> None:
    await house.tell_ring("r1", "ringing")
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await house.tell_ring("another", "answered", "Ben")
    await expect(station.locator("#last-call")).to_contain_text("Answered by Ben")
    await state(station, "ringing")


async def test_what_this_page_answered_is_told_in_its_own_words(station: Page, house: House, door: Door) -> None:
    await house.tell_ring("r1", "ringing")
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await station.click("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await house.tell_ring("r1", "answered", "Kitchen")
    await state(station, "in-call")
    await house.bye("c1")
    await house.tell_ring("r1", "answered", "Kitchen", talking=False)
    await state(station, "ready")
    await expect(station.locator("#last-call")).to_contain_text("Call ended")


async def test_a_bell_does_not_outlive_the_house(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await house.stop()
    await state(station, "lost")
    await expect(station).to_have_title("Intercom")
