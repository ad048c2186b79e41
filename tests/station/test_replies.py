"""The page has the door speak, and lets a long call go on."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House, Json
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")

READY = {"replies": [{"name": "coming", "text": "I am coming."}, {"name": "wait", "text": "<b>Wait</b>"}]}


def asked(house: House) -> list[str]:
    """Return what the page had the door say."""
    frames = [frame for frame in house.received if frame.get("method") == "intercom.say"]
    return [frame["params"]["words"] for frame in frames if frame["params"]["words"]]


async def rung(station: Page, house: House, door: Door, *, kind: str = "door") -> None:
    await house.tell_ring("r1", "ringing")
    await house.invite("c1", await door.offer(), ring="r1", kind=kind)
    await state(station, "ringing")


async def test_one_tap_has_the_door_say_what_it_has_ready_and_the_page_rings_on(
    station: Page, house: House, door: Door
) -> None:
    house.says = lambda words: {"said": "I am coming."} if words else READY
    await rung(station, house, door)
    await expect(station.locator("#reply-list button")).to_have_text(["I am coming.", "<b>Wait</b>", "Type…"])
    await station.get_by_role("button", name="I am coming.").click()
    await expect(station.locator("#announcer")).to_have_text("The door says: I am coming.")
    assert asked(house) == ["coming"]
    await house.tell_ring("r1", "ringing", reply="I am coming.", replied_by="Kitchen")
    await expect(station.locator("#reply-said")).to_have_text("Kitchen has told the visitor: I am coming.")
    await house.tell_ring("r1", "ringing", reply="Please wait.", replied_by="")
    await expect(station.locator("#reply-said")).to_have_text("The door has told the visitor by itself: Please wait.")
    await state(station, "ringing")


async def test_a_sentence_is_typed_and_the_keys_in_it_do_nothing_else(station: Page, house: House, door: Door) -> None:
    house.says = lambda words: {"said": words} if words else READY
    await rung(station, house, door)
    await station.get_by_role("button", name="Type…").click()
    await station.keyboard.type("One moment")
    await station.keyboard.press("Escape")
    await expect(station.locator("#reply-form")).to_be_hidden()
    await state(station, "ringing")
    await station.get_by_role("button", name="Type…").click()
    await station.keyboard.type("One moment, please")
    await station.keyboard.press("Enter")
    await expect(station.locator("#reply-form")).to_be_hidden()
    assert asked(house) == ["One moment, please"]
    await state(station, "ringing")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"refused": "busy"}, "The door is speaking already"),
        ({"refused": "silent"}, "The door cannot speak this"),
        ({"refused": "something new"}, "The door did not say it"),
        ({}, "The door did not say it"),
    ],
)
async def test_a_door_that_does_not_say_it_is_told(
    station: Page, house: House, door: Door, answer: Json, words: str
) -> None:
    house.says = lambda said: answer if said else READY
    await rung(station, house, door)
    await station.get_by_role("button", name="I am coming.").click()
    await expect(station.locator("#error")).to_contain_text(words)
    await expect(station.get_by_role("button", name="I am coming.")).to_be_enabled()


@pytest.mark.parametrize("answer", [{"replies": []}, {"refused": "slow"}, None])
async def test_without_anything_ready_there_is_nothing_to_tap(
    station: Page, house: House, door: Door, answer: Json | None
) -> None:
    house.says = None if answer is None else lambda _: answer
    await rung(station, house, door)
    await house.wait_for_method("intercom.say")
    await expect(station.locator("#replies")).to_be_hidden()


async def test_a_phone_that_calls_is_not_asked_for_replies(station: Page, house: House, door: Door) -> None:
    house.says = lambda _: READY
    await rung(station, house, door, kind="resident")
    await expect(station.locator("#replies")).to_be_hidden()
    assert not any(frame.get("method") == "intercom.say" for frame in house.received)


async def test_in_a_call_too_the_door_speaks_for_the_page(station: Page, house: House, door: Door) -> None:
    house.says = lambda words: {"said": "I am coming."} if words else READY
    await house.connect_call(station, door, "c1")
    await station.get_by_role("button", name="I am coming.").click()
    await expect(station.locator("#reply-said")).to_have_text("The door says: I am coming.")
    assert asked(house) == ["coming"]


async def test_near_its_end_a_call_shows_the_time_that_is_left_and_goes_on_by_a_tap(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    await expect(station.locator("#ending")).to_be_hidden()
    await house.call_ends("c1", "ending", 300)
    await expect(station.locator("#ending-left")).to_contain_text(re.compile(r"\b[0-5]:[0-5]\d\b"))
    await expect(station.locator("#announcer")).to_contain_text("300 seconds")
    await station.get_by_role("button", name="Talk on").click()
    told = await house.wait_for_verto("verto.info")
    assert told["intercom"] == {"talk": "on"}
    await expect(station.locator("#ending")).to_be_visible()
    await house.call_ends("c1", "on", 300)
    await expect(station.locator("#ending")).to_be_hidden()
    await expect(station.locator("#announcer")).to_have_text("The call goes on.")


async def test_the_time_of_one_call_is_not_shown_in_the_next(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await house.call_ends("c1", "ending", 300)
    await expect(station.locator("#ending")).to_be_visible()
    await house.bye("c1")
    await state(station, "ready")
    other = Door()
    await house.invite("c2", await other.offer())
    await state(station, "ringing")
    await station.click("#answer")
    await state(station, "in-call")
    await expect(station.locator("#ending")).to_be_hidden()
    await other.close()
