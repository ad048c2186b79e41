"""The telephone's own habits: a finger, a headset, the chosen devices, and a microphone that another app takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, CDPSession, Page, expect

from tests.station.conftest import new_profile
from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADSET = """window.buttons = {};
    navigator.mediaSession.setActionHandler = (name, action) => { window.buttons[name] = action; };"""
"""The headset, which no program presses: what the page asks to be told of its buttons."""
TAKEN = """window.tracks = [];
    window.given = Promise.resolve();
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
        await window.given;
        const stream = await ask(wish);
        window.wish = wish;
        window.tracks.push(stream.getAudioTracks()[0]);
        return stream;
    };
    window.take = (taken) => {
        const track = window.tracks.at(-1);
        Object.defineProperty(track, "muted", { configurable: true, get: () => taken });
        track.dispatchEvent(new Event(taken ? "mute" : "unmute"));
    };
    window.keep = () => { window.given = new Promise((resolve) => { window.give = resolve; }); };"""
"""A telephone call, which takes the microphone from the browser: its track falls silent. It may keep it for itself."""


async def slide(page: Page, tool: CDPSession, right: float, up: float) -> None:
    """Put a finger on "Answer", draw it, and let go."""
    await page.locator("#answer").click(trial=True)  # nothing moves it any more
    box = await page.locator("#answer").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def touch(kind: str, *points: dict[str, Any]) -> None:
        await tool.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    await touch("touchStart", {"x": x, "y": y})
    for step in (0.25, 0.5, 0.75, 1.0):
        await touch("touchMove", {"x": x + right * step, "y": y - up * step})
    await touch("touchEnd")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser, house: House) -> AsyncIterator[Page]:
    """A telephone with a screen to touch and a headset, paired."""
    context = await new_profile(
        browser, viewport={"width": 390, "height": 844}, has_touch=True, permissions=["microphone"]
    )
    page = await context.new_page()
    await page.add_init_script(HEADSET)
    await page.add_init_script(TAKEN)
    await page.goto(f"{house.url}#pair={next(iter(house.codes))}")
    await state(page, "ready")
    yield page
    await context.close()


@pytest.mark.parametrize(("right", "up"), [(0, 120), (110, 0)])
async def test_a_finger_that_draws_the_button_answers(
    phone: Page, house: House, door: Door, right: float, up: float
) -> None:
    await house.invite("c1", await door.offer())
    await state(phone, "ringing")
    await slide(phone, await phone.context.new_cdp_session(phone), right, up)
    await house.wait_for_verto("verto.answer")
    await state(phone, "in-call")


async def test_a_finger_that_draws_it_down_answers_nothing(phone: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(phone, "ringing")
    await slide(phone, await phone.context.new_cdp_session(phone), 0, -120)
    await until(phone, "document.querySelector('#answer').style.translate === ''")
    await state(phone, "ringing")


async def test_a_headsets_button_answers_mutes_and_hangs_up(phone: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(phone, "ringing")
    await phone.evaluate("window.buttons.play()")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await state(phone, "in-call")
    await phone.evaluate("window.buttons.togglemicrophone()")
    await expect(phone.locator("#mute")).to_have_attribute("aria-pressed", "true")
    await phone.evaluate("window.buttons.hangup()")
    await house.wait_for_verto("verto.bye")
    await state(phone, "ready")


async def test_a_microphone_that_a_telephone_call_takes_is_told_and_asked_for_anew(
    phone: Page, house: House, door: Door
) -> None:
    await house.connect_call(phone, door, "c1")
    await until(phone, "window.tracks.length === 1")
    await phone.evaluate("window.keep(); window.take(true)")
    await expect(phone.locator("#error")).to_contain_text("Another app has taken the microphone")
    await phone.evaluate("window.give()")
    await until(phone, "window.tracks.length === 2")
    await expect(phone.locator("#error")).to_be_hidden()
    await phone.evaluate("window.tracks[0].dispatchEvent(new Event('ended'))")
    await state(phone, "in-call")


async def test_a_microphone_that_comes_back_by_itself_is_only_told(phone: Page, house: House, door: Door) -> None:
    await house.connect_call(phone, door, "c1")
    await until(phone, "window.tracks.length === 1")
    await phone.evaluate("window.take(true); window.take(false)")
    await phone.keyboard.press("m")
    await expect(phone.locator("#mute")).to_have_attribute("aria-pressed", "true")
    await expect(phone.locator("#error")).to_be_hidden()


async def test_the_chosen_microphone_and_loudspeaker_are_used_and_remembered(
    phone: Page, house: House, door: Door
) -> None:
    await phone.click("#walk-close")
    await phone.wait_for_selector("#microphone-row:not([hidden])")
    second = await phone.evaluate("document.querySelector('#microphone').options[2].value")
    await phone.select_option("#microphone", second)
    speaker = await phone.evaluate("document.querySelector('#speaker').options[1].value")
    await phone.select_option("#speaker", speaker)
    await phone.reload()
    await state(phone, "ready")
    await house.connect_call(phone, door, "c1")
    await until(phone, "window.tracks.length === 1")
    assert await phone.evaluate("window.tracks[0].getSettings().deviceId") == second
    await until(phone, f"document.querySelector('#remote-audio').sinkId === '{speaker}'")
