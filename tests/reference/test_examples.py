"""The reference's examples, unmodified, with the door: each page as its repository has it, with nothing but a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page, Route, expect

from intercom.door.machine import State
from intercom.space import Space

from ..alsa import AlsaCards, alsa_session
from ..e2e.home import Home
from .answering_door import directory, home, space, the_door_hears_nothing, the_door_hears_the_tablet
from .components import PATIENCE_S, check_out, client_bundle, why_no_components

__all__ = ["alsa_session", "directory", "home", "space"]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(bool(why_no_components()), reason=why_no_components()),
]

Open = Callable[[str], Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def example(browser: Browser, space: Space, home: Home) -> AsyncIterator[Open]:
    """Open an example as the tablet, in a browser profile of its own, once the door is idle."""
    await home.until(State.IDLE)
    token = space.tokens.issue(space.store.add_subscriber("tablet", groups=("house",)))[0]
    site = f"https://page.localhost:{space.port}"
    context = await browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_S * 1000)
    await context.add_init_script(f"localStorage.setItem('sw_example_token', '{token}')")

    async def serve(route: Route) -> None:
        path = route.request.url.removeprefix(f"{site}/")
        if path.endswith("browser.umd.js"):
            await route.fulfill(body=client_bundle(), content_type="text/javascript")
        elif (check_out() / path).is_file():
            await route.fulfill(path=check_out() / path)
        else:
            await route.fulfill(status=404)

    await context.route(f"{site}/**", serve)

    async def open_example(name: str) -> Page:
        page = await context.new_page()
        await page.goto(f"{site}/examples/{name}/index.html")
        await expect(page.locator("#connection-status")).to_have_text("Connected", timeout=PATIENCE_S * 1000)
        return page

    yield open_example
    await context.close()


async def call_the_door(page: Page, field: str, button: str, channel: str = "") -> None:
    await page.fill(field, f"/private/door{channel}")
    await page.click(button)


async def test_inbound_calls_shows_the_press_and_answers_it(example: Open, home: Home, alsa_session: AlsaCards) -> None:
    page = await example("01-inbound-calls")
    await page.locator("#log", has_text="Registered").wait_for()
    await home.press()
    await page.locator("#caller-info", has_text="Front door").wait_for()
    await page.click("#answer-btn")
    await home.until(State.IN_CALL)
    await the_door_hears_the_tablet(alsa_session)
    await page.click("#hangup-btn")
    await home.until(State.IDLE)


async def test_inbound_calls_rejects_a_press(example: Open, home: Home) -> None:
    page = await example("01-inbound-calls")
    await page.locator("#log", has_text="Registered").wait_for()
    await home.press()
    await home.until(State.RINGING)
    await page.click("#reject-btn")
    await home.until(State.IDLE)


async def test_audio_only_talks_with_the_door(example: Open, home: Home, alsa_session: AlsaCards) -> None:
    page = await example("03-audio-only")
    await call_the_door(page, "#destination", "#call-btn")
    await page.locator("#call-status", has_text="connected").wait_for()
    await the_door_hears_the_tablet(alsa_session)
    await page.click("#hangup-btn")
    await home.until(State.IDLE)


async def test_audio_only_says_that_nobody_has_the_address(example: Open) -> None:
    page = await example("03-audio-only")
    said: list[str] = []

    async def read(dialog: Dialog) -> None:
        said.append(dialog.message)
        await dialog.accept()

    page.on("dialog", read)
    await page.fill("#destination", "/private/castle")
    await page.click("#call-btn")
    await expect(page.locator("#call-btn")).to_be_enabled(timeout=PATIENCE_S * 1000)
    assert said[0].startswith("Call failed: ")


async def test_video_room_shows_the_doors_picture_and_lists_it(example: Open, home: Home) -> None:
    page = await example("02-video-room")
    await call_the_door(page, "#room-input", "#join-btn", "?channel=video")
    await page.locator("#participants-list", has_text="Front door").wait_for()
    await page.wait_for_function(
        "document.getElementById('remote-video').getVideoPlaybackQuality().totalVideoFrames > 5"
    )
    await page.click("#leave-btn")
    await home.until(State.IDLE)


async def test_screen_sharing_leaves_the_call_with_the_door_alone(
    example: Open, home: Home, alsa_session: AlsaCards
) -> None:
    page = await example("05-screen-sharing")
    await call_the_door(page, "#room-input", "#join-btn")
    await home.until(State.IN_CALL)
    await page.locator("#screenshare-btn").wait_for()
    refused = asyncio.Event()
    page.on("console", lambda message: refused.set() if "no screen or other device" in message.text else None)
    await page.click("#screenshare-btn")
    async with asyncio.timeout(PATIENCE_S):
        await refused.wait()
    await the_door_hears_the_tablet(alsa_session)
    assert home.machine_state is State.IN_CALL
    await page.click("#leave-btn")
    await home.until(State.IDLE)


async def test_device_selection_changes_the_microphone_in_the_call(
    example: Open, home: Home, alsa_session: AlsaCards
) -> None:
    page = await example("04-device-selection")
    await call_the_door(page, "#destination", "#call-btn")
    await home.until(State.IN_CALL)
    await page.select_option("#mic-select", label="Fake Audio Input 1")
    await the_door_hears_the_tablet(alsa_session)
    await page.click("#hangup-btn")
    await home.until(State.IDLE)


async def test_call_controls_mute_hold_and_dial_keys(example: Open, home: Home, alsa_session: AlsaCards) -> None:
    page = await example("06-call-controls")
    await call_the_door(page, "#destination", "#call-btn")
    await home.until(State.IN_CALL)
    await the_door_hears_the_tablet(alsa_session)
    await page.click("#mute-audio-btn:has-text('Mute Audio')")
    await page.locator("#mute-audio-btn", has_text="Unmute Audio").wait_for()
    await the_door_hears_nothing(alsa_session)
    await page.click("#mute-audio-btn")
    await the_door_hears_the_tablet(alsa_session)
    await page.click("#hold-btn")
    await the_door_hears_nothing(alsa_session)
    await page.click("#hold-btn")
    await the_door_hears_the_tablet(alsa_session)
    before = home.relay_pulses()
    await page.click("[data-digit='9']")
    await home.wait_for(lambda: home.relay_pulses() > before, "the relay")
    await page.click("#hangup-btn")
    await home.until(State.IDLE)


async def test_participant_events_lists_the_door(example: Open, home: Home) -> None:
    page = await example("07-participant-events")
    await call_the_door(page, "#room-input", "#join-btn")
    await page.locator("#participants", has_text="Front door").wait_for()
    await page.click("#leave-btn")
    await home.until(State.IDLE)
