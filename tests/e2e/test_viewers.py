"""A whole door that recorders and dashboards watch: npm's WHEP player in Chromium, and a viewer that is as go2rtc."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from intercom.config import CallConfig, CameraConfig, SpaceConfig
from intercom.door.machine import State
from intercom.space import Membership
from tests.alsa import AlsaCards, tone
from tests.e2e.conftest import PairStation, StartHome
from tests.e2e.home import PATIENCE_S, Home
from tests.media.viewers.go2rtc import Go2rtc, Voice
from tests.reference.sdk import fetch_packages

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATION_TESTS = Path(__file__).parents[1] / "station"
SEEN = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
VIEWER_HZ, VISITOR_HZ = 500.0, 1300.0
PLAYER = """<!doctype html><title>Dashboard</title><video autoplay muted playsinline></video><script type="module">
    import { WHEPClient } from "./whep.js";
    window.watch = async (url, token) => {
        window.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
        window.peer.addTransceiver("video", { direction: "recvonly" });
        window.peer.addTransceiver("audio", { direction: "recvonly" });
        window.peer.ontrack = ({ track }) => {
            if (track.kind === "video") document.querySelector("video").srcObject = new MediaStream([track]);
        };
        window.whep = new WHEPClient();
        await window.whep.view(window.peer, url, token);
    };
    window.ready = true;
</script>"""
LOOKS = CameraConfig(source="pattern", width=320, height=240, frame_rate=15, look=True)


@pytest.fixture(scope="session")
def whep_player() -> str:
    """The module of npm's whip-whep, as package-lock.json names it."""
    fetch_packages(STATION_TESTS)
    return (STATION_TESTS / "node_modules" / "whip-whep" / "whep.js").read_text(encoding="utf-8")


@asynccontextmanager
async def dashboard(script: str) -> AsyncIterator[str]:
    """Serve a dashboard with the player; yields its origin."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PLAYER, content_type="text/html")

    async def player(_request: web.Request) -> web.Response:
        return web.Response(text=script, content_type="text/javascript")

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/whep.js", player)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://dashboard.localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def opened(browser: Browser, url: str) -> AsyncIterator[Page]:
    """The dashboard in a browser, with its player ready."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_function("window.ready === true")
    try:
        yield page
    finally:
        await context.close()


@asynccontextmanager
async def go2rtc(home: Home, token: str, viewer: Go2rtc) -> AsyncIterator[None]:
    """Bring a viewer to the door as go2rtc does: one WebSocket, closed once it sees the door."""
    basic = base64.b64encode(f"go2rtc:{token}".encode()).decode()
    where = f"{home.space.url.replace('http', 'ws', 1)}/api/ws?src=door"
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(where, headers={"Authorization": f"Basic {basic}"}) as socket:
            await socket.send_json({"type": "webrtc/offer", "value": await viewer.offer()})
            answer = json.loads(await socket.receive_str(timeout=PATIENCE_S))
            assert answer["type"] == "webrtc/answer", answer
            await viewer.accept(answer["value"])
        yield


@pytest.mark.timeout(600)  # the player is fetched first
async def test_a_whep_player_in_a_dashboard_sees_the_door_until_it_stops_or_its_token_is_taken_back(
    start_home: StartHome, browser: Browser, whep_player: str
) -> None:
    async with dashboard(whep_player) as origin, opened(browser, origin) as page:
        home = await start_home(camera=LOOKS, space=SpaceConfig(listen="127.0.0.1:0", embed_allowed=(origin,)))
        door = home.door
        assert door is not None
        token = home.space.store.viewers.add("dashboard", talks=False)
        where = [f"{home.space.url}/whep/door", token]
        for ends_by in ("itself", "its owner"):
            await page.evaluate("([url, token]) => window.watch(url, token)", where)
            await home.wait_for_async(lambda: page.evaluate(SEEN), lambda seen: seen > 10, "the picture to move")
            assert len(door.views) == 1
            if ends_by == "itself":
                await page.evaluate("window.whep.stop()")
            else:
                with Membership(home.state_dir / "space") as members:
                    members.viewers.remove("dashboard")
            await home.wait_for(lambda: len(door.views) == 0, f"the view to be ended by {ends_by}")
    assert home.machine_state is State.IDLE


async def test_go2rtc_sees_hears_and_is_heard_at_the_door_and_the_bell_comes_first(
    start_home: StartHome, pair_station: PairStation, alsa_cards: AlsaCards
) -> None:
    home = await start_home(camera=LOOKS, call=CallConfig(viewers_talk=True))
    door = home.door
    assert door is not None
    station = await pair_station(home)
    token = home.space.store.viewers.add("go2rtc", talks=True)
    async with Go2rtc(Voice(VIEWER_HZ)) as viewer, go2rtc(home, token, viewer):
        await viewer.sees(5)
        with alsa_cards.listen() as ear, alsa_cards.speak(tone(VISITOR_HZ, 2 * PATIENCE_S)):
            await asyncio.to_thread(ear.wait_for_tone, VIEWER_HZ)
            await asyncio.to_thread(viewer.heard.wait_for_tone, VISITOR_HZ)
        await home.press()
        await station.until("ringing")
        await station.click("#answer")
        await home.talks()
        await viewer.sees(5)
        await station.click("#hangup")
        await home.until(State.IDLE)
        with alsa_cards.listen() as ear:
            await asyncio.to_thread(ear.wait_for_tone, VIEWER_HZ)
        assert len(door.views) == 1
    await home.wait_for(lambda: len(door.views) == 0, "the door to notice that the viewer left")
