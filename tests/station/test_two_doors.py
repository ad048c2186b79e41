"""Two doors of one house on one page: who rings beside a call, or beside another ring, is seen, and taken by a tap."""

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from av import VideoFrame
from playwright.async_api import Page, expect

from intercom.media.camera.snapshot import jpeg
from intercom.space import Space
from tests.station.camera import HeldCamera
from tests.station.door import Door, draw_street
from tests.station.door_line import DoorLine
from tests.station.house_of_its_own import space
from tests.station.test_bell import LISTEN
from tests.station.waiting import state, until

__all__ = ["space"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

STILL, FACE = ".waiting-still.live", ".waiting-face.live"


@pytest_asyncio.fixture(loop_scope="session")
async def front(space: Space) -> AsyncIterator[DoorLine]:
    async with DoorLine(space) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def camera() -> AsyncIterator[HeldCamera]:
    """The camera of the back door, which shows nothing yet."""
    held = HeldCamera()
    yield held
    await held.close()


@pytest_asyncio.fixture(loop_scope="session")
async def back(space: Space, camera: HeldCamera) -> AsyncIterator[DoorLine]:
    async with DoorLine(space, reference="back-door", name="Back door", shows=camera.answer) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def back_door() -> AsyncIterator[Door]:
    made = Door(video=False)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def home(page: Page, space: Space, front: DoorLine, back: DoorLine) -> Page:
    """A paired page whose strikes of the bell are counted."""
    del front, back  # both doors are there
    await page.goto(space.invite().url)
    await state(page, "ready")
    await page.evaluate(LISTEN)
    return page


async def talk(home: Page, line: DoorLine, door: Door) -> str:
    """Ring the page at one door and let it answer; return the door's callID."""
    call_id = await line.ring(door)
    await state(home, "ringing")
    await home.click("#answer")
    await door.accept((await line.heard("verto.answer", call_id))["sdp"])
    await door.heard_something.wait()
    await until(home, "document.querySelector('#remote-video').currentTime > 0")
    return call_id


async def test_a_door_that_rings_beside_a_call_is_seen_declined_and_taken_while_the_first_goes_on_until_then(
    home: Page, front: DoorLine, back: DoorLine, door: Door, back_door: Door, camera: HeldCamera
) -> None:
    first = await talk(home, front, door)
    await home.evaluate("window.struck = 0")
    offer = await back_door.offer()

    second = await back.press(offer)
    banner = home.locator("#waiting li")
    await expect(banner.locator(".waiting-name")).to_have_text("Back door")
    await until(home, "window.struck > 0")
    still = base64.b64encode(jpeg(VideoFrame.from_ndarray(draw_street(320, 240), format="rgb24"))).decode()
    await back.ask("intercom.still", {"callID": second, "jpeg": still, "age_ms": 100})
    await expect(banner.locator(STILL)).to_have_count(1)
    camera.runs.set()
    await expect(banner.locator(FACE)).to_have_count(1)
    assert await home.get_attribute("body", "data-state") == "in-call"
    await banner.locator(".waiting-decline").click()
    assert (await back.heard("verto.bye", second))["cause"] == "CALL_REJECTED"
    await expect(banner).to_have_count(0)

    await door.hears_more_than(len(door.heard))
    third = await back.press(offer)
    await expect(banner).to_have_count(1)
    await back.give_up(third)
    await expect(banner).to_have_count(0)
    assert await home.get_attribute("body", "data-state") == "in-call"

    fourth = await back.press(offer)
    await banner.locator(".waiting-answer").click()
    assert (await front.heard("verto.bye", first))["cause"] == "NORMAL_CLEARING"
    await back_door.accept((await back.heard("verto.answer", fourth))["sdp"])
    await back_door.heard_something.wait()
    await state(home, "in-call")
    await expect(home.locator("#call-title")).to_have_text("Back door")
    await expect(banner).to_have_count(0)


async def test_when_the_call_ends_the_door_that_waits_rings(
    home: Page, front: DoorLine, back: DoorLine, door: Door, back_door: Door
) -> None:
    await talk(home, front, door)
    await back.ring(back_door)
    await expect(home.locator("#waiting li")).to_have_count(1)
    await home.evaluate("window.struck = 0")
    await home.keyboard.press("Escape")
    await state(home, "ringing")
    await expect(home.locator("#ringing-title")).to_have_text("Back door")
    await expect(home.locator("#waiting li")).to_have_count(0)
    await until(home, "window.struck >= 8")  # the bell itself, and no knock


async def test_of_two_doors_that_ring_at_once_both_are_seen_and_either_is_answered(
    home: Page, front: DoorLine, back: DoorLine, door: Door, back_door: Door
) -> None:
    first = await front.ring(door)
    await state(home, "ringing")
    second = await back.ring(back_door)
    names = home.locator("#waiting .waiting-name")
    await expect(names).to_have_text(["Back door"])
    await expect(home.locator("#ringing-title")).to_have_text("Front door")
    await home.click("#waiting .waiting-answer")
    await back_door.accept((await back.heard("verto.answer", second))["sdp"])
    await back_door.heard_something.wait()
    await expect(home.locator("#call-title")).to_have_text("Back door")
    await expect(names).to_have_text(["Front door"])
    await front.give_up(first)
    await expect(names).to_have_count(0)
    await state(home, "in-call")


async def test_somebody_else_who_presses_at_the_door_of_the_call_is_told_until_the_call_ends(
    home: Page, front: DoorLine, door: Door
) -> None:
    call_id = await talk(home, front, door)
    await home.evaluate("window.struck = 0")
    await front.verto("verto.info", {"dialogParams": {"callID": call_id}, "intercom": {"visitor": "pressed"}})
    await expect(home.locator("#another")).to_have_text("Somebody else rings at Front door.")
    await until(home, "window.struck > 0")
    await home.keyboard.press("Escape")
    await state(home, "ready")
    await expect(home.locator("#another")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(320, 568), (390, 844), (844, 390)])
async def test_on_a_phone_the_call_s_own_controls_stay_in_reach_while_others_ring(
    home: Page, front: DoorLine, back: DoorLine, door: Door, back_door: Door, width: int, height: int
) -> None:
    await home.set_viewport_size({"width": width, "height": height})
    call = await talk(home, front, door)
    await back.ring(back_door)
    await expect(home.locator("#waiting li")).to_have_count(1)
    for told in ({"visitor": "pressed"}, {"talk": "ending", "for_s": 10}):
        await front.verto("verto.info", {"dialogParams": {"callID": call}, "intercom": told})
    await expect(home.locator("#another")).to_be_visible()
    for selector in ("#talk-on", ".waiting-answer", ".waiting-decline", "#open-door", "#mute", "#hangup"):
        await expect(home.locator(selector)).to_be_in_viewport(ratio=0.99)
