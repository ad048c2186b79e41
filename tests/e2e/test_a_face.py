"""A face before the answer, with a real door, space and browsers: who rings is seen, and nobody who may not look."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from intercom.cli import render
from intercom.config import CameraConfig
from intercom.door.machine import Phase, State
from tests.e2e.conftest import PairStation, StartHome
from tests.e2e.home import PATIENCE_S, Home, Station
from tests.firefox import firefox

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATTERN = CameraConfig(source="pattern", width=320, height=240, frame_rate=15)
LIVE = "document.querySelector('#face').classList.contains('live')"
STILL = "document.querySelector('#still').classList.contains('live')"
PRESENT = "document.querySelector('#picture-age').hidden"
REMOTE_LIVE = "document.querySelector('#remote-video').classList.contains('live')"
WATCH_FOR_GAPS = f"""() => {{
    window.gaps = 0;
    const look = () => {{
        if (!({LIVE}) && !({REMOTE_LIVE}) && document.body.dataset.state !== 'ready') window.gaps += 1;
        if (document.body.dataset.state !== 'ready') requestAnimationFrame(look);
    }};
    look();
}}"""

NOTE_THE_HANDOVER = """() => {
    const proto = RTCPeerConnection.prototype;
    const { close, addIceCandidate } = proto;
    const { get, ...rest } = Object.getOwnPropertyDescriptor(proto, "connectionState");
    const answering = new WeakSet();
    window.connectedAt = window.leftAt = 0;
    proto.addIceCandidate = function (...candidate) {  // the page that answers lets its call reach out
        answering.add(this);
        return addIceCandidate.apply(this, candidate);
    };
    // Noted as the page learns of it, whose own clock of the call begins then: that may be before the event.
    Object.defineProperty(proto, "connectionState", { ...rest, get() {
        const state = get.call(this);
        if (state === "connected" && answering.has(this)) window.connectedAt ||= performance.now();
        return state;
    } });
    proto.close = function () {
        window.leftAt ||= performance.now();
        return close.call(this);
    };
}"""


async def until(station: Station, expression: str) -> None:
    """Wait until an expression is true; the page's policy forbids Playwright's own way of waiting for one."""
    async with asyncio.timeout(PATIENCE_S):
        while not await station.page.evaluate(expression):
            await asyncio.sleep(0.05)


def watchers(home: Home) -> int:
    assert home.door is not None
    return len(home.door.views)


async def test_the_pages_that_ring_see_the_visitor_and_the_one_that_answers_sees_on(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    kitchen, hall = await pair_station(home, "Kitchen"), await pair_station(home, "Hall")
    await home.press()
    for station in (kitchen, hall):
        # A camera that a busy machine gives no time stands still for a moment, and the page says so.
        await until(station, f"document.body.dataset.state === 'ringing' && {LIVE} && {PRESENT}")
        assert await station.page.evaluate("document.querySelector('#face').videoWidth") == 320
    assert watchers(home) == 2
    assert home.door is not None
    assert ", 2 look on" in render.status(home.door.handlers.status(), colour=False)
    assert home.door.machine.phase is Phase.RINGING_OUT, "to see is not to answer"
    await kitchen.page.evaluate(WATCH_FOR_GAPS)
    await kitchen.click("#answer")
    await hall.until("ready")
    await until(kitchen, REMOTE_LIVE)
    await until(kitchen, "document.querySelector('#face').srcObject === null")
    await home.wait_for(lambda: watchers(home) == 0, "the views to end")
    assert await kitchen.page.evaluate("window.gaps") == 0
    await kitchen.click("#hangup")


async def test_a_view_is_closed_only_when_the_call_that_was_answered_has_begun_to_sound(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await until(station, LIVE)
    await station.page.evaluate(NOTE_THE_HANDOVER)
    await station.click("#answer")
    await until(station, "window.connectedAt > 0 && window.leftAt > 0")
    assert await station.page.evaluate("window.leftAt - window.connectedAt") >= 2000
    await station.click("#hangup")


async def test_a_camera_that_is_switched_off_is_said_and_no_old_picture_stays(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await until(station, LIVE)
    assert home.door is not None
    home.door.privacy.set_off(True)
    await until(station, "document.querySelector('#no-picture').textContent.includes('switched off')")
    assert not await station.page.evaluate(f"{LIVE} || {STILL}")
    home.door.privacy.set_off(False)
    await until(station, LIVE)
    await station.click("#decline")
    await home.wait_for(lambda: watchers(home) == 0, "the view to end")


async def test_a_door_without_a_camera_rings_and_says_that_it_shows_nothing(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home(camera=CameraConfig(source="off"))
    station = await pair_station(home)
    assert not await station.page.locator("#looks button").count()
    await home.press()
    await until(station, "document.querySelector('#no-picture').textContent.includes('shows no picture')")
    await station.click("#decline")


async def test_a_resident_looks_where_the_owner_lets_them(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home(camera=replace(PATTERN, look=True))
    station = await pair_station(home)
    await station.click("#looks button")
    await station.until("looking")
    await until(station, LIVE)
    assert home.machine_state is State.IDLE
    await station.click("#look-end")
    await station.until("ready")
    await home.wait_for(lambda: watchers(home) == 0, "the look to end")
    assert home.door is not None and home.door.camera is not None
    camera = home.door.camera
    await home.wait_for(lambda: not camera.is_running, "the camera to stop")


async def test_a_firefox_without_h264_sees_the_visitor_before_and_in_the_call(start_home: StartHome) -> None:
    home = await start_home()
    async with firefox() as tab:
        await tab.goto(home.space.invite(name="Kitchen").url)
        await tab.until("document.body.dataset.state === 'ready'")
        await home.press()
        await tab.until(f"document.body.dataset.state === 'ringing' && {LIVE}")
        await tab.tap("#answer")
        await home.talks()
        await tab.until(REMOTE_LIVE)
        await tab.until("document.querySelector('#face').srcObject === null")
        await tab.tap("#hangup")


async def test_a_firefox_to_which_the_door_sends_no_vp8_says_why_it_shows_no_picture(start_home: StartHome) -> None:
    home = await start_home(camera=replace(PATTERN, vp8=False))
    async with firefox() as tab:
        await tab.goto(home.space.invite(name="Kitchen").url)
        await tab.until("document.body.dataset.state === 'ready'")
        await home.press()
        await tab.until("document.body.dataset.state === 'ringing'")
        if await tab.evaluate("RTCRtpReceiver.getCapabilities('video').codecs.some((c) => /H264/.test(c.mimeType))"):
            await tab.until(LIVE)
        else:
            await tab.until("document.querySelector('#no-picture').textContent.includes('no H.264')")
        await tab.tap("#decline")
