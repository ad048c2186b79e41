""" "This call": who talks, the keys of a telephone, and what happened."""

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_keys_of_the_pad_and_of_the_keyboard_go_to_the_far_end(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await station.click("#more-open")
    await station.click("#keypad button[value='5']")
    await station.keyboard.press("#")
    await house.wait_for(lambda frame: "'dtmf': '#'" in str(frame))
    infos = [str(frame) for frame in house.verto_frames() if "'dtmf'" in str(frame)]
    assert ["'dtmf': '5'" in infos[0], len(infos)] == [True, 2]
    await expect(station.locator("#keys-typed")).to_have_text("5#")


async def test_escape_closes_it_and_leaves_the_call(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await station.click("#more-open")
    await station.keyboard.press("Escape")
    await expect(station.locator("#more")).to_be_hidden()
    await state(station, "in-call")
    await station.keyboard.press("Escape")
    await state(station, "ready")


async def test_it_gives_way_to_another_door_that_rings(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await station.click("#more-open")
    other = Door(video=False)
    await house.invite("c2", await other.offer(), name="Back door", number="/private/back-door")
    await station.click(".waiting-decline")
    await house.wait_for(lambda frame: "CALL_REJECTED" in str(frame))
    await state(station, "in-call")
    await other.close()


async def test_it_tells_who_talks_and_what_happened_and_ends_with_the_call(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    members = [
        {"member_id": "me", "call_id": "c1", "node_id": "n", "name": "Kitchen", "audio_muted": False},
        {"member_id": "door", "call_id": "d1", "node_id": "n", "name": "Front door", "audio_muted": False},
    ]
    room = {"room_session_id": "r1", "call_id": "c1", "member_id": "me", "capabilities": []}
    await house.push_event("call.joined", {**room, "room_session": {"members": members}})
    await house.push_event("member.updated", {"room_session_id": "r1", "member": {**members[1], "audio_muted": True}})
    await station.keyboard.press("o")
    await house.door_says("c1", "open")
    await station.click("#more-open")
    await expect(station.locator("#people")).to_have_text("YouFront door (muted)")
    for words in ("Front door rang", "Connected to Front door", "The door is open"):
        await expect(station.locator("#happened")).to_contain_text(words)
    await house.bye("c1")
    await state(station, "ready")
    await expect(station.locator("#more")).to_be_hidden()
