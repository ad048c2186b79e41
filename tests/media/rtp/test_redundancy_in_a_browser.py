"""Redundant audio with a real Chromium: it understands ours, and sends its own, whoever offered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiortc.rtp import RtpPacket

from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.rtp.redundancy import Block
from tests.media.calls import running_engine, simulated

if TYPE_CHECKING:
    from playwright.async_api import Page

browsers = pytest.importorskip("playwright.async_api", reason="Playwright is not installed: ./setup.sh --test")

from tests.station.conftest import CHROMIUM, FLAGS  # noqa: E402  (it needs Playwright)

LIMIT_S = 90.0
PAGE = """() => {
    window.pc = new RTCPeerConnection();
    window.complete = async (description) => {
        await pc.setLocalDescription(description);
        if (pc.iceGatheringState !== "complete")
            await new Promise((done) => pc.onicegatheringstatechange =
                () => pc.iceGatheringState === "complete" && done());
        return pc.localDescription.sdp;
    };
    pc.ontrack = (event) => { const audio = new Audio(); audio.srcObject = event.streams[0]; audio.play(); };
}"""
SPEAK = """async () => {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true});
    pc.addTrack(stream.getAudioTracks()[0], stream);
}"""
OFFER = "async () => complete(await pc.createOffer())"
ANSWER = """async (offer) => {
    await pc.setRemoteDescription({type: "offer", sdp: offer});
    return complete(await pc.createAnswer());
}"""
ACCEPT = 'async (answer) => pc.setRemoteDescription({type: "answer", sdp: answer})'
HEARD = """async () => {
    for (const report of (await pc.getStats()).values())
        if (report.type === "inbound-rtp") return {...report};
    return {};
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with browsers.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=1000 * LIMIT_S)
        page = await browser.new_page()
        await page.route("https://door.test/", lambda route: route.fulfill(body="", content_type="text/html"))
        await page.goto("https://door.test/")  # only a page that came encrypted gets the microphone
        await page.evaluate(PAGE)
        await page.evaluate(SPEAK)
        yield page
        await browser.close()


def plain(description: str) -> str:
    """Without its multicast names the browser is still found: its own checks come to us."""
    return "".join(line for line in description.splitlines(keepends=True) if ".local " not in line)


def has_copies(figures: dict[str, Any]) -> bool:
    """Whether most packets held an earlier one, whole or as Opus' own redundancy: the page plays or discards it."""
    copies = figures.get("packetsDiscarded", 0) + figures.get("fecPacketsReceived", 0)
    return bool(copies > figures.get("packetsReceived", 0) / 2)


async def heard_both_ways(page: Page, call: DoorCall, *, redundant: bool) -> tuple[dict[str, Any], Counter[bool]]:
    """Return the page's figures once it heard the door's voice, and how many packets of its own held earlier sound.

    `redundant`: only once it got the door's packets again.
    """
    came: Counter[bool] = Counter()
    receive = call._far_end.receive

    def note(packet: RtpPacket, codec: str | None, earlier: Sequence[Block] = (), age_s: float = 0.0) -> None:
        came[bool(earlier)] += 1
        receive(packet, codec, earlier, age_s)

    call._far_end.receive = note  # type: ignore[method-assign]  # what comes is only looked at
    async with asyncio.timeout(LIMIT_S):
        figures: dict[str, Any] = {}
        while came.total() < 50 or figures.get("totalAudioEnergy", 0) < 1e-5 or (redundant and not has_copies(figures)):
            await asyncio.sleep(0.05)
            figures = await page.evaluate(HEARD)
    return figures, came


@asynccontextmanager
async def door_call() -> AsyncIterator[DoorCall]:
    with running_engine(simulated()) as engine:
        call = DoorMedia(engine, on_event=lambda event: None).open("1", [])
        try:
            yield call
        finally:
            await call.close()


async def test_a_page_that_calls_and_the_door_send_redundant_sound_and_hear_each_other(page: Page) -> None:
    async with door_call() as call:
        await page.evaluate(ACCEPT, await call.create_answer(plain(await page.evaluate(OFFER))))
        _, came = await heard_both_ways(page, call, redundant=True)
        stats = call.stats().far_end
        assert call._connection.payload_types.redundancy is not None, "so all that the page heard was redundant"
    assert came[True] > came[False], "all but the first, and those after silence that was not sent"
    assert stats is not None
    assert stats.damaged == 0


async def test_a_page_that_is_called_takes_redundant_sound_and_is_heard(page: Page) -> None:
    async with door_call() as call:
        await call.accept_answer(plain(await page.evaluate(ANSWER, await call.create_offer())))
        figures, _ = await heard_both_ways(page, call, redundant=True)
        assert call._connection.payload_types.redundancy is not None
    assert has_copies(figures), "and not Opus' own: whoever sends packets again has switched that off"


async def test_a_page_without_redundant_sound_is_called_and_heard_as_before(page: Page) -> None:
    async with door_call() as call:
        offer = await call.create_offer()
        lines = [line for line in offer.splitlines() if not line.startswith(("a=rtpmap:63 ", "a=fmtp:63 "))]
        without = "\r\n".join(lines).replace(" 63 ", " ") + "\r\n"
        await call.accept_answer(plain(await page.evaluate(ANSWER, without)))
        _, came = await heard_both_ways(page, call, redundant=False)
        assert call._connection.payload_types.redundancy is None
    assert not came[True]
