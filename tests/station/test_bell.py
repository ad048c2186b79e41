"""The bell, and what else calls for attention."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import PATIENCE_MS, state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTEN = """() => {
    window.struck = window.tones = 0;
    const { start } = OscillatorNode.prototype, { linearRampToValueAtTime: ramp } = AudioParam.prototype;
    OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
    AudioParam.prototype.linearRampToValueAtTime = function (level, at) {
        if (level > 0) window.struck += 1;
        return ramp.call(this, level, at);
    };
}"""
"""Counts in a page the notes that are struck, and the oscillators that sound them."""


LATER = """() => {
    const { get } = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "currentTime");
    window.laterS = 0;
    const later = { get() { return get.call(this) + window.laterS; } };
    Object.defineProperty(BaseAudioContext.prototype, "currentTime", later);
}"""
"""The clock of the page's sound, which a test may put forward."""

SILENT_UNTIL_A_TAP = """window.AudioContext = class extends AudioContext {
    constructor(...options) {
        super(...options);
        this.suspend(); // as a browser does before a tap; Playwright's own calls count as taps
    }
};"""


async def notifies(page: Page, *titles: str) -> None:
    """Wait until these notifications are shown; the worker looks in turn, or Chromium loses some."""
    (worker,) = page.context.service_workers
    look = "() => inTurn(async () => (await registration.getNotifications()).map(({ title }) => title))"
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while await worker.evaluate(look) != list(titles):
            pass


@pytest_asyncio.fixture(loop_scope="session")
async def untouched(page: Page, house: House) -> Page:
    """A paired page in a browser that allows sound only after a tap."""
    await page.add_init_script(SILENT_UNTIL_A_TAP)
    await page.goto(f"{house.url}#pair=ABCD2345")
    await state(page, "ready")
    await page.evaluate("localStorage.setItem('intercom.walk', '{}')")  # it closed the walk some other day
    await page.reload()
    await state(page, "ready")
    return page


async def test_a_silent_bell_is_said_and_turned_on_by_one_tap(untouched: Page) -> None:
    await expect(untouched.locator("body")).to_have_attribute("data-bell", "off")
    await expect(untouched.locator("#bell-words")).to_contain_text("The bell is off")
    await untouched.click("#bell")
    await untouched.wait_for_selector("body[data-bell=on]")
    await expect(untouched.locator("#bell-card")).to_be_hidden()


async def test_a_ring_without_sound_says_so_and_any_tap_makes_it_sound(
    untouched: Page, house: House, door: Door
) -> None:
    await house.invite("c1", await door.offer())
    await state(untouched, "ringing")
    await expect(untouched.locator("#silent-bell")).to_be_visible()
    await untouched.click("#ringing-title")
    await untouched.wait_for_selector("body[data-bell=on]")
    await expect(untouched.locator("#silent-bell")).to_be_hidden()
    await state(untouched, "ringing")


async def test_ringing_sounds_the_bell_until_the_answer(station: Page, house: House, door: Door) -> None:
    await station.evaluate(LISTEN)
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await until(station, "window.struck > 0")
    await station.click("#answer")
    await state(station, "in-call")
    await until(station, "document.title === 'Intercom'")


async def test_the_bell_rings_for_as_long_as_the_door_does(station: Page, house: House, door: Door) -> None:
    await station.evaluate(LISTEN)
    await station.evaluate(LATER)
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await until(station, "window.struck > 0")
    await station.evaluate("window.before = window.struck; window.laterS = 300")
    await until(station, "window.struck > window.before")


async def test_a_bell_that_goes_on_ringing_sounds_with_the_tones_of_its_first_ring(
    station: Page, house: House, door: Door
) -> None:
    await station.evaluate(LISTEN)
    await house.invite("c1", await door.offer())
    await until(station, "window.struck >= 80")
    assert await station.evaluate("window.tones") == 8  # two strikes of four partials


async def test_the_test_button_strikes_the_bell_once(station: Page) -> None:
    await station.evaluate(LISTEN)
    await station.click("#bell-test")
    assert await station.evaluate("window.struck") == 8  # two strikes of four partials


async def test_less_motion_is_respected(station: Page, house: House, door: Door) -> None:
    await station.emulate_media(reduced_motion="reduce")
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    assert await station.evaluate("document.getAnimations().length") == 0
    assert "Front door is ringing" in await station.title()


@pytest.mark.usefixtures("service_worker")
async def test_a_page_in_the_background_notifies(station: Page, house: House, door: Door) -> None:
    await station.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await station.evaluate("() => { Object.defineProperty(document, 'hidden', { value: true, configurable: true }) }")
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await notifies(station, "Front door is ringing")
    await house.bye("c1")
    await state(station, "ready")
    await notifies(station)
