"""The page with the real embedded space: its pairing, its groups, its frames."""

import re
import uuid
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from intercom.signalwire.wire.agents import agent_of
from intercom.space import Membership, Space
from intercom.space.http import connection_limits
from tests.station.conftest import new_profile
from tests.station.door import TONE_HZ, Door
from tests.station.door_line import ROLE, DoorLine
from tests.station.house_of_its_own import line, space
from tests.station.test_telephone import TAKEN
from tests.station.waiting import hears, state, until

__all__ = ["line", "space"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def home(page: Page, space: Space, line: DoorLine) -> Page:
    """A paired station, ready, while the door is registered."""
    await page.goto(space.invite().url)
    await state(page, "ready")
    return page


async def test_the_house_rings_answers_talks_opens_and_hangs_up(home: Page, line: DoorLine, door: Door) -> None:
    call_id = await line.ring(door)
    await state(home, "ringing")
    await expect(home.locator("#ringing-title")).to_have_text("Front door")
    await home.click("#answer")
    await door.accept((await line.heard("verto.answer"))["sdp"])
    await door.heard_something.wait()
    await until(home, "document.querySelector('#remote-video').currentTime > 0.5")
    await hears(home, TONE_HZ)
    await home.keyboard.press("o")
    assert (await line.heard("verto.info"))["intercom"] == {"door": "open"}
    await line.say(call_id, "open")
    await expect(home.locator("#door-pill")).to_be_visible()
    await line.say(call_id, "closed")
    await expect(home.locator("#door-pill")).to_be_hidden()
    await home.keyboard.press("Escape")
    assert (await line.heard("verto.bye"))["cause"] == "NORMAL_CLEARING"
    await state(home, "ready")


async def test_the_page_mutes_the_door_where_it_lets_the_house_and_shows_what_the_space_tells(
    page: Page, space: Space, door: Door
) -> None:
    async with DoorLine(space, agent_of("door/0")) as line:
        await page.goto(space.invite().url)
        await state(page, "ready")
        await line.ring(door)
        await state(page, "ringing")
        await page.click("#answer")
        await door.accept((await line.heard("verto.answer"))["sdp"])
        await expect(page.locator("#mute-door")).to_have_attribute("aria-pressed", "false")
        for muted in (True, False):
            await page.click("#mute-door")
            await line.member_is_muted(muted)
            await expect(page.locator("#mute-door")).to_have_attribute("aria-pressed", str(muted).lower())
        await page.keyboard.press("Escape")
        await line.heard("verto.bye")


async def test_the_door_is_told_that_the_house_muted_itself(home: Page, line: DoorLine, door: Door) -> None:
    await line.ring(door)
    await state(home, "ringing")
    await home.click("#answer")
    await door.accept((await line.heard("verto.answer"))["sdp"])
    await door.heard_something.wait()
    for muted in (True, False):
        await home.click("#mute")
        await line.member_is_muted(muted)


async def test_the_door_is_told_that_another_app_took_the_houses_microphone(
    home: Page, line: DoorLine, door: Door
) -> None:
    await home.evaluate(f"() => {{ {TAKEN} }}")
    await line.ring(door)
    await state(home, "ringing")
    await home.click("#answer")
    await door.accept((await line.heard("verto.answer"))["sdp"])
    await door.heard_something.wait()
    await home.evaluate("window.keep(); window.take(true)")
    await line.member_is_muted(True)
    await home.evaluate("window.give()")
    await line.member_is_muted(False)


async def test_the_page_has_no_button_for_a_door_that_does_not_let_itself_be_muted(
    home: Page, line: DoorLine, door: Door
) -> None:
    await line.ring(door)
    await state(home, "ringing")
    await home.click("#answer")
    await door.accept((await line.heard("verto.answer"))["sdp"])
    await door.heard_something.wait()
    await expect(home.locator("#mute-door")).to_be_hidden()


async def test_the_first_of_two_stations_gets_the_call(
    home: Page, browser: Browser, space: Space, line: DoorLine, door: Door
) -> None:
    context = await new_profile(browser, permissions=["microphone"])
    other = await context.new_page()
    await other.goto(space.invite(name="Tablet").url)
    await state(other, "ready")
    await line.ring(door)
    await state(home, "ringing")
    await state(other, "ringing")
    await other.click("#answer")
    await door.accept((await line.heard("verto.answer"))["sdp"])  # in the time that a page gives it
    await state(home, "ready")
    await expect(home.locator("#last-call")).to_contain_text("Answered by Tablet at")
    await door.heard_something.wait()
    await context.close()


async def test_two_stations_say_the_same_of_every_ring(
    home: Page, browser: Browser, space: Space, line: DoorLine, door: Door
) -> None:
    context = await new_profile(browser, permissions=["microphone"])
    other = await context.new_page()
    await other.goto(space.invite(name="Tablet").url)
    await state(other, "ready")
    offer = await door.offer()

    async def ring() -> str:
        call_id = str(uuid.uuid4())
        dialog = {"callID": call_id, "destination_number": "/private/house", "userVariables": ROLE}
        await line.verto("verto.invite", {"dialogParams": dialog, "sdp": offer})
        for page in (home, other):
            await state(page, "ringing")
        return call_id

    async def says(page: Page, words: str) -> None:
        await state(page, "ready")
        await expect(page.locator("#last-call")).to_contain_text(words)

    await ring()
    await other.click("#decline")
    await says(home, "Declined by Tablet at")
    await says(other, "Declined at")
    assert (await line.heard("verto.bye"))["cause"] == "CALL_REJECTED"
    call_id = await ring()
    await line.verto("verto.bye", {"dialogParams": {"callID": call_id}, "cause": "NORMAL_CLEARING", "causeCode": 16})
    for page in (home, other):
        await says(page, "Missed: Front door at")
    call_id = await ring()
    opened = {"dialogParams": {"callID": call_id}, "intercom": {"door": "open", "by": "Anna's key"}}
    await line.verto("verto.info", opened)
    for page in (home, other):
        await says(page, "Door opened by Anna's key at")
    call_id = await ring()
    bye = {"dialogParams": {"callID": call_id}, "cause": "NO_ANSWER", "causeCode": 19}
    await line.verto("verto.bye", bye)
    for page in (home, other):
        await says(page, "Nobody answered: Front door at")
    await other.reload()
    await says(other, "Nobody answered: Front door at")
    await context.close()


async def test_the_house_calls_the_door(home: Page, line: DoorLine, door: Door) -> None:
    await home.click("#call-door")
    invite = await line.heard("verto.invite")
    answer = await door.answer(invite["sdp"])
    await line.verto("verto.answer", {"dialogParams": {"callID": invite["callID"]}, "sdp": answer})
    await state(home, "in-call")
    await door.heard_something.wait()
    await until(home, "document.querySelector('#remote-video').currentTime > 0.5")


async def test_a_door_that_is_not_there_is_told(page: Page, space: Space) -> None:
    await page.goto(space.invite().url)
    await state(page, "ready")
    await page.click("#call-door")
    await expect(page.locator("#error")).to_contain_text("no door at that address")


async def test_a_page_that_is_closed_in_a_call_ends_it(home: Page, line: DoorLine, door: Door) -> None:
    await line.ring(door)
    await state(home, "ringing")
    await home.click("#answer")
    await door.accept((await line.heard("verto.answer"))["sdp"])
    await door.heard_something.wait()
    await home.goto("about:blank")
    await line.heard("verto.bye")


async def test_a_joined_device_lets_the_next_one_join_by_a_typed_code(
    home: Page, browser: Browser, space: Space, line: DoorLine, door: Door
) -> None:
    await home.click("#add-device")
    await expect(home.locator("#invite-code")).to_have_text(re.compile(r"^\w{5}-\w{5}$"))
    code = await home.locator("#invite-code").inner_text()
    context = await new_profile(browser, permissions=["microphone"])
    second = await context.new_page()
    await second.goto(f"{space.url}/station/")
    await second.fill("#pair-code", code.replace("-", " ").lower())
    await second.click("#pair")
    await state(second, "ready")
    await line.ring(door)
    await state(second, "ringing")
    await state(home, "ringing")
    await context.close()


async def test_a_removed_device_is_not_paired_any_more(home: Page, tmp_path: Path) -> None:
    with Membership(tmp_path) as house:
        (station,) = [device for device in house.devices() if device.kind == "resident"]
        house.remove(station.address)
    await state(home, "unpaired")
    await expect(home.locator("#error")).to_contain_text("not paired with the house any more")


async def test_a_used_code_is_refused_in_words(home: Page, browser: Browser, space: Space) -> None:
    url = space.invite().url
    first = await new_profile(browser)
    used = await first.new_page()
    await used.goto(url)
    await state(used, "ready")
    await first.close()
    context = await new_profile(browser)
    second = await context.new_page()
    await second.goto(url)
    await state(second, "unpaired")
    await expect(second.locator("#error")).to_contain_text("wrong, used or older than ten minutes")
    await context.close()


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A space with room for one door and one resident."""
    monkeypatch.setattr(connection_limits, "DOORS_RESERVE", 1)
    monkeypatch.setattr(connection_limits, "MEMBERS_LIMIT", 2)


@pytest.mark.usefixtures("one_place")
async def test_a_page_that_finds_the_house_full_shows_its_sentence_and_gets_in_when_another_has_left(
    page: Page, browser: Browser, space: Space
) -> None:
    await page.goto(space.invite().url)
    await state(page, "ready")
    context = await new_profile(browser)
    late = await context.new_page()
    await late.goto(space.invite().url)
    await state(late, "lost")
    await expect(late.locator("#error")).to_contain_text("This space is full")
    await page.close()
    await state(late, "ready")
    await expect(late.locator("#error")).to_be_hidden()
    await context.close()
