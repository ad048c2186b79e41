"""The rings of the house on one page: what it says of each, and that no bell outlives its ring."""

import re

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


NO_TIME_PASSES = "() => { const now = performance.now(); performance.now = () => now; }"
"""The page's clock, in which a late answer counts for ten seconds: a busy machine is slower."""


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


async def test_a_page_whose_step_of_the_plan_is_over_says_that_it_rings_elsewhere_and_then_who_took_it(
    station: Page, house: House, door: Door
) -> None:
    last = station.locator("#last-call")
    await house.tell_ring("r1", "ringing")
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await house.tell_ring("r1", "ringing", elsewhere=True)
    await house.bye("c1", "NO_ANSWER")
    await state(station, "ready")
    await expect(last).to_have_text("Rings elsewhere now: Front door")
    await expect(last).not_to_have_class(re.compile("missed"))
    await house.tell_ring("r1", "answered", "Ben")
    await expect(last).to_contain_text("Answered by Ben at")


async def test_an_answer_that_came_as_the_step_ended_is_given_again_by_itself_where_the_ring_goes_on(
    station: Page, house: House, door: Door
) -> None:
    await house.tell_ring("r1", "ringing")
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await station.click("#answer")
    await house.wait_for_verto("verto.answer")
    answered = len(house.received)
    await station.evaluate(NO_TIME_PASSES)
    await house.tell_ring("r1", "ringing", elsewhere=True)
    await house.bye("c1", "NO_ANSWER")
    await state(station, "ready")
    last = station.locator("#last-call")
    await expect(last).to_have_text("Your answer came too late. Rings elsewhere now: Front door")
    await house.tell_ring("r1", "ringing")
    await house.invite("c2", await door.offer(), ring="r1")
    answer = await house.wait_for_verto("verto.answer", after=answered)
    assert answer["dialogParams"]["callID"] == "c2"


async def test_a_bell_does_not_outlive_the_house(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await house.stop()
    await state(station, "lost")
    await expect(station).to_have_title("Intercom")


async def test_a_page_says_which_of_a_doors_buttons_was_pressed(station: Page, house: House, door: Door) -> None:
    await house.tell_ring("r1", "ringing", button="Office")
    await house.invite("c1", await door.offer(), ring="r1")
    await state(station, "ringing")
    await expect(station.locator("#ringing-title")).to_have_text("Office · Front door")
    await expect(station.locator("#announcer")).to_contain_text("Office · Front door")
    await house.tell_ring("r1", "missed", button="Office")
    await state(station, "ready")
    await expect(station.locator("#last-call")).to_contain_text("Nobody answered: Office · Front door at")
