"""The visitor's face on one page, with a camera that is slow, or freezes: what was is never shown as what is."""

import base64
import socket
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
import pytest_asyncio
from av import VideoFrame
from playwright.async_api import Page, expect

from intercom.media.camera.snapshot import jpeg
from tests.station.camera import HeldCamera
from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIVE = "document.querySelector('#face').classList.contains('live')"
FROZEN = "document.querySelector('#face').classList.contains('frozen')"
STILL = "document.querySelector('#still').classList.contains('live')"
NO_PREPARATIONS = "() => { RTCPeerConnection.prototype.setLocalDescription = () => new Promise(() => {}); }"


@pytest_asyncio.fixture(loop_scope="session")
async def camera(house: House) -> AsyncIterator[HeldCamera]:
    held = HeldCamera()
    house.shows = held.answer
    yield held
    await held.close()


def still() -> str:
    """A small picture, as the door sends the one of a press."""
    return base64.b64encode(jpeg(VideoFrame(320, 240, "yuv420p"))).decode()


async def test_a_camera_that_is_slow_is_said_and_its_picture_is_shown_once_it_comes(
    station: Page, house: House, door: Door, camera: HeldCamera
) -> None:
    await house.invite("c1", await door.offer())
    await expect(station.locator("#no-picture")).to_contain_text("The camera is slow to start")
    await house.push_event("intercom.still", {"callID": "c1", "jpeg": still(), "age_ms": 65_000})
    await expect(station.locator("#picture-age")).to_contain_text("Not live: taken 1 min ago")
    await expect(station.locator("#no-picture")).to_contain_text("The camera is slow to start")
    assert not await station.evaluate(LIVE)
    camera.runs.set()
    await until(station, LIVE)
    assert not await station.evaluate(STILL)
    await expect(station.locator("#no-picture")).to_be_empty()
    await expect(station.locator("#picture-age")).to_be_hidden()


async def test_a_camera_that_freezes_is_said_until_it_moves_again(
    station: Page, house: House, door: Door, camera: HeldCamera
) -> None:
    camera.runs.set()
    await house.invite("c1", await door.offer())
    await until(station, f"{LIVE} && !{FROZEN}")
    camera.runs.clear()
    await expect(station.locator("#picture-age")).to_contain_text("Not live: the picture stopped")
    assert await station.evaluate(FROZEN)
    camera.runs.set()
    await until(station, f"{LIVE} && !{FROZEN}")
    await expect(station.locator("#picture-age")).to_be_hidden()


async def test_the_picture_on_which_a_camera_froze_is_not_shown_at_the_next_ring(
    station: Page, house: House, door: Door, camera: HeldCamera
) -> None:
    camera.runs.set()
    offer = await door.offer()
    await house.invite("c1", offer)
    await until(station, LIVE)
    camera.runs.clear()
    await until(station, FROZEN)
    await house.bye("c1")
    await state(station, "ready")
    await house.invite("c2", offer)
    await state(station, "ringing")
    assert not await station.evaluate(f"{LIVE} || {STILL}")
    await expect(station.locator("#no-picture")).to_contain_text("The camera is slow to start")
    assert not await station.evaluate(f"{LIVE} || {STILL}")
    camera.runs.set()
    await until(station, f"{LIVE} && !{FROZEN}")


async def test_a_view_that_came_at_the_second_attempt_no_longer_says_what_was_in_the_way_of_the_first(
    station: Page, house: House, door: Door, camera: HeldCamera
) -> None:
    house.refuses_views = ["full"] * 100
    await house.invite("c1", await door.offer())
    await expect(station.locator("#no-picture")).to_contain_text("As many devices as may watch")
    house.refuses_views.clear()
    await expect(station.locator("#no-picture")).to_contain_text("The camera is slow to start")
    camera.runs.set()
    await until(station, LIVE)


async def test_a_page_that_is_rung_asks_to_see_before_it_prepares_anything(
    station: Page, house: House, door: Door
) -> None:
    await station.evaluate(NO_PREPARATIONS)
    await house.invite("c1", await door.offer())
    asked = await house.wait_for(lambda frame: frame.get("method") == "intercom.view" and "callID" in frame["params"])
    assert asked["params"]["callID"] == "c1"
    assert "m=video" in asked["params"]["sdp"]


async def test_a_page_whose_relay_server_is_dead_sees_the_visitor_all_the_same(
    page: Page, house: House, door: Door, camera: HeldCamera
) -> None:
    camera.runs.set()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        urls = f"turn:127.0.0.1:{silent.getsockname()[1]}?transport=udp"
        house.ice_servers = [{"urls": urls, "username": "u", "credential": "c"}]
        await page.goto(f"{house.url}#pair=ABCD2345")
        await state(page, "ready")
        await house.invite("c1", await door.offer())
        await until(page, LIVE)
