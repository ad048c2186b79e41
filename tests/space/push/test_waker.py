"""A press wakes the house's sleeping phones, and each of them is told how it ended; over real sockets."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from intercom.space.push.waker import SHOWN_WITHIN_S
from tests.space.conftest import ANSWER, WAIT_S, Client, House
from tests.space.push.phone import Phone
from tests.space.push.service import PushService, never, says

PRESS = {"intercom": {"role": "door", "ring": "press-1"}}


async def door_of(house: House) -> Client:
    """The house's door, registered."""
    house.space.store.add_subscriber("door", "Front door", kind="door")
    return await house.join("door")


async def press(door: Client) -> str:
    """Ring the house; return the callID."""
    return await door.dial("/private/house", userVariables=PRESS)


def told(notice: dict[str, Any]) -> tuple[str, str, str, str]:
    """What a notice says."""
    return notice["kind"], notice["tag"], notice["door"], notice["by"]


async def test_a_press_wakes_a_phone_and_whoever_opens_its_notification_finds_the_call_ringing(
    pushing: House, phone: Phone
) -> None:
    door = await door_of(pushing)
    mine = await press(door)
    notice = await phone.notice()
    assert told(notice) == ("ring", "door/press-1", "Front door", "")
    assert await phone.shows(notice["receipt"]) == 200
    page = await pushing.join("phone")
    await page.verto("verto.answer", await page.ringing(), sdp=ANSWER)
    assert (await door.heard("verto.answer"))["callID"] == mine


async def test_a_phone_is_told_at_which_of_a_doors_buttons_somebody_rings(pushing: House, phone: Phone) -> None:
    door = await door_of(pushing)
    mine = await door.dial("/private/house", userVariables={"intercom": {**PRESS["intercom"], "button": "Office"}})
    assert told(await phone.notice()) == ("ring", "door/press-1", "Office · Front door", "")
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    assert told(await phone.notice(2)) == ("given_up", "door/press-1", "Office · Front door", "")


async def test_the_phones_are_told_who_answered_and_who_opened(pushing: House, phone: Phone) -> None:
    door, kitchen = await door_of(pushing), await pushing.station("kitchen")
    mine = await press(door)
    await phone.notice()  # the news take the place of a push that is still under way
    await kitchen.verto("verto.answer", await kitchen.ringing(), sdp=ANSWER)
    assert told(await phone.notice(2)) == ("answered", "door/press-1", "Front door", "kitchen")
    await door.heard("verto.answer")
    await door.verto("verto.info", mine, intercom={"door": "open"})
    assert told(await phone.notice(3)) == ("opened", "door/press-1", "Front door", "kitchen")


async def test_the_phones_are_told_that_the_visitor_gave_up(pushing: House, phone: Phone) -> None:
    door = await door_of(pushing)
    mine = await press(door)
    await phone.notice()
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    assert told(await phone.notice(2)) == ("given_up", "door/press-1", "Front door", "")


async def test_the_news_of_one_ring_have_one_topic_and_wait_for_a_phone_that_is_off(
    pushing: House, phone: Phone
) -> None:
    door = await door_of(pushing)
    mine = await press(door)
    await phone.notice()
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    await phone.notice(2)
    ring, end = (push.headers for push in phone.service.arrived)
    assert ring["Topic"] == end["Topic"]
    assert len(ring["Topic"]) == 32
    assert int(ring["TTL"]) < int(end["TTL"])


@pytest.mark.parametrize(
    ("for_s", "ttl"), [(90, "90"), (0.5, "60"), (1e9, "60"), (-1, "60"), (True, "60"), ("90", "60"), (None, "60")]
)
async def test_a_ring_waits_for_a_phone_that_is_off_for_as_long_as_the_door_rings(
    pushing: House, phone: Phone, for_s: Any, ttl: str
) -> None:
    door = await door_of(pushing)
    await door.dial("/private/house", userVariables={"intercom": {**PRESS["intercom"], "for_s": for_s}})
    assert (await phone.service.push(1)).headers["TTL"] == ttl


async def test_a_late_receipt_is_answered_with_how_it_ended(pushing: House, phone: Phone) -> None:
    door = await door_of(pushing)
    mine = await press(door)
    receipt = (await phone.notice())["receipt"]
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    await phone.notice(2)
    url = pushing.space.url + "/api/space/push/shown"
    async with pushing.http.post(url, json={"receipt": receipt}) as answer:
        newest = (await answer.json())["newest"]
    assert (newest["kind"], newest["tag"], newest["receipt"]) == ("given_up", "door/press-1", "")


async def test_a_second_press_for_the_same_ring_wakes_nobody_again(pushing: House, phone: Phone) -> None:
    door = await door_of(pushing)
    await press(door)
    await phone.notice()
    await press(door)
    mine = await press(door)
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    assert (await phone.notice(2))["kind"] == "given_up"


async def test_a_later_step_wakes_those_that_were_not_rung_before_and_all_are_told_how_it_ended(
    pushing: House, phone: Phone
) -> None:
    other = await Phone(pushing, phone.service, "other").subscribe()
    door = await door_of(pushing)
    step = {"intercom": {**PRESS["intercom"], "goes_on": True}}
    first = await door.dial("/private/phone", userVariables=step)
    assert (await phone.notice())["kind"] == "ring"
    await door.verto("verto.bye", first, cause="NO_ANSWER")
    second = await door.dial("/private/other", userVariables=PRESS)
    assert (await other.notice())["kind"] == "ring"
    await door.verto("verto.bye", second, cause="ORIGINATOR_CANCEL")
    for told_last in (phone, other):
        assert (await told_last.notice(2))["kind"] == "given_up"


async def test_a_phone_that_does_not_show_the_ring_keeps_the_door_from_its_next_step_for_no_longer_than_most_need(
    pushing: House, phone: Phone
) -> None:
    waker, ring, pressed_at = pushing.space._waker, "door/press-1", time.time()
    waker._wall = lambda: pressed_at
    door = await door_of(pushing)
    await press(door)
    await phone.notice()
    assert waker.wakes(ring, proven=True)
    waker._wall = lambda: pressed_at + SHOWN_WITHIN_S + 1
    assert (bool(waker.wakes(ring, proven=True)), bool(waker.wakes(ring))) == (False, True)
    await phone.shows((await phone.notice())["receipt"])
    assert waker.wakes(ring, proven=True)


async def test_when_no_push_service_knows_the_phones_any_more_the_door_is_told(pushing: House, phone: Phone) -> None:
    phone.service.answers = [says(410)]
    door = await door_of(pushing)
    await press(door)
    assert (await door.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"
    assert [listed.push for listed in pushing.space.store.devices()] == [False]


async def test_a_push_service_that_hangs_delays_no_page(pushing: House, phone: Phone) -> None:
    phone.service.answers = [never] * 10
    door, kitchen = await door_of(pushing), await pushing.station("kitchen")
    await press(door)
    await kitchen.ringing()
    await phone.service.push(1)
    assert pushing.space.pushes.figures.fates["accepted"] == 0


async def test_residents_who_call_each_other_wake_nobody(pushing: House, phone: Phone) -> None:
    kitchen, hall = await pushing.station("kitchen"), await pushing.station("hall")
    await kitchen.dial("/private/hall")
    await hall.ringing()
    await kitchen.dial("/private/phone")
    assert (await kitchen.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"
    assert phone.service.arrived == []


async def test_every_phone_of_the_house_is_woken(pushing: House, service: PushService) -> None:
    phones = [await Phone(pushing, service, f"phone-{number}").subscribe() for number in range(12)]
    door = await door_of(pushing)
    await press(door)
    notices = await asyncio.wait_for(asyncio.gather(*(phone.notice() for phone in phones)), WAIT_S)
    assert {told(notice) for notice in notices} == {("ring", "door/press-1", "Front door", "")}
    assert len({notice["receipt"] for notice in notices}) == len(phones)
