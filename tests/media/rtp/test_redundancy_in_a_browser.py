"""Redundant audio with a real Chromium: it understands ours, and sends its own, whoever offered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from aiortc.rtp import RtpPacket

from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.rtp.redundancy import RED
from tests.media.calls import running_engine, simulated
from tests.station.conftest import CHROMIUM, FLAGS

if TYPE_CHECKING:
    from playwright.async_api import Page

browsers = pytest.importorskip("playwright.async_api", reason="Playwright is not installed: ./setup.sh --test")

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


async def heard_both_ways(page: Page, call: DoorCall) -> Counter[str | None]:
    """Return the codecs of what came from the page, once it heard the door's voice."""
    codecs: Counter[str | None] = Counter()
    receive = call._far_end.receive

    def note(packet: RtpPacket, codec: str | None) -> None:
        codecs[codec] += 1
        receive(packet, codec)

    call._far_end.receive = note  # type: ignore[method-assign]  # what comes is only looked at
    async with asyncio.timeout(LIMIT_S):
        figures: dict[str, Any] = {}
        while codecs.total() < 50 or figures.get("totalAudioEnergy", 0) < 1e-5:
            await asyncio.sleep(0.05)
            figures = await page.evaluate(HEARD)
    return codecs


@pytest.mark.parametrize("who_offers", ["page", "door"])
async def test_both_send_redundant_sound_and_hear_each_other(page: Page, who_offers: str) -> None:
    with running_engine(simulated()) as engine:
        call = DoorMedia(engine, on_event=lambda event: None).open("1", [])
        try:
            if who_offers == "page":
                answer = await call.create_answer(plain(await page.evaluate(OFFER)))
                await page.evaluate(ACCEPT, answer)
            else:
                await call.accept_answer(plain(await page.evaluate(ANSWER, await call.create_offer())))
            codecs = await heard_both_ways(page, call)
            assert call._connection.payload_types.redundancy is not None
        finally:
            await call.close()
    assert codecs[RED] >= 50
    assert codecs.total() == codecs[RED]
