"""The reference's web components, unmodified, in a call with the door: one page, one door, one space for all of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from intercom.door.machine import State
from intercom.panel import Pattern
from intercom.space import Space

from ..alsa import AlsaCards, alsa_session, tone
from ..e2e.home import Home
from ..space.conftest import House
from .answering_door import directory, home, space, the_door_hears_nothing, the_door_hears_the_tablet
from .components import PATIENCE_S, ComponentPage, why_no_components
from .peer import Peer
from .test_members_of_a_call import light

__all__ = ["alsa_session", "directory", "home", "space"]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(bool(why_no_components()), reason=why_no_components()),
]

VISITOR_HZ = 1100.0
HANG_UP = "sw-call-controls sw-ui-split-button.hangup button"


def button(icon: str) -> str:
    """The button of the control bar that shows this icon."""
    return f"sw-call-controls sw-ui-split-button:has(sw-ui-icon[name={icon}]) button"


CallTheDoor = Callable[[], Awaitable[str]]
SignIn = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser, space: Space, home: Home) -> AsyncIterator[ComponentPage]:
    async with ComponentPage(browser, space, "tablet", groups=("house",)) as page:
        yield page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call_the_door(page: ComponentPage, home: Home) -> CallTheDoor:
    """Return the call with the door that the components show; a test that ends it leaves the next one to dial."""
    calls: list[str] = []

    async def call_the_door() -> str:
        known = bool(calls) and calls[-1] in (await page.state())["calls"]
        if not known or (await page.report(calls[-1]))["status"] != "connected":
            await home.until(State.IDLE)
            calls.append(await page.dial("/private/door"))
            await page.show(calls[-1])
            await page.reaches(calls[-1], "connected")
            await home.until(State.IN_CALL)
        return calls[-1]

    return call_the_door


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(page: ComponentPage, space: Space, home: Home) -> SignIn:
    """Give a component of a page loaded anew what its own client needs, and wait until the page has two clients.

    They share what the browser keeps for the page's session, until the space parts them.
    """
    if home.machine_state is not State.IDLE:
        await page.click(HANG_UP)
    await home.until(State.IDLE)
    await page.open()

    async def sign_in(component: str, **properties: Any) -> None:
        await page.give(component, token=page.token(), **properties)
        await home.wait_for(lambda: len(space.exchange.links_of("tablet")) == 2, "the component's client")

    return sign_in


@pytest_asyncio.fixture(loop_scope="session")
async def neighbour(space: Space) -> AsyncIterator[Peer]:
    """A far end that asks for a picture."""
    trust = ssl.create_default_context(cadata=space.enrol("neighbours-machine", "Machine").certificate)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
        house = House(space, http)
        peer = Peer(await house.join("neighbour"))
        try:
            yield peer
        finally:
            await peer.close()
            for client in house.clients:
                await client.close()


async def until_no_frames_come(far_end: Peer) -> None:
    """Wait for a whole second without a picture."""
    async with asyncio.timeout(PATIENCE_S):
        before = -1
        while far_end.video_frames != before:
            before = far_end.video_frames
            await asyncio.sleep(1.0)


async def until_its_picture_stands_still(page: ComponentPage, call: str) -> int:
    """Wait for a whole second without a picture of the far end; return how many came before."""
    async with asyncio.timeout(PATIENCE_S):
        before, now = -1, 0
        while now != before:
            before = now
            await asyncio.sleep(1.0)
            now = (await page.report(call))["videoFrames"]
    return now


async def test_the_page_knows_all_26_components(page: ComponentPage) -> None:
    names = await page.page.evaluate("window.reference.defined()")
    assert len(names) == 26, names


async def test_the_directory_lists_the_door(page: ComponentPage) -> None:
    await page.shows("sw-directory [part=item-name]", "Front door")


async def test_the_status_goes_from_ready_to_connected_to_ended(
    page: ComponentPage, call_the_door: CallTheDoor, home: Home
) -> None:
    call = await call_the_door()
    await page.shows("sw-call-status [part=status-text]", "Connected")
    await page.shows("sw-call-status [part=duration]", "0:")
    await page.hangup(call)
    await page.shows("sw-call-status [part=status-text]", "Ended")
    await home.until(State.IDLE)


async def test_the_media_show_the_doors_picture(page: ComponentPage, call_the_door: CallTheDoor) -> None:
    await call_the_door()
    await page.plays("sw-call-media")


async def test_the_local_camera_shows_the_residents_own_picture(
    page: ComponentPage, call_the_door: CallTheDoor
) -> None:
    await call_the_door()
    await page.plays("sw-local-camera")


async def test_the_audio_level_moves_with_the_residents_voice(page: ComponentPage, call_the_door: CallTheDoor) -> None:
    await page.measure(await call_the_door())
    await page.until_evaluated(
        "() => document.querySelector('sw-audio-level').shadowRoot.querySelector('[role=meter]').ariaValueNow > 0",
        "a level of the microphone",
    )


async def test_a_key_of_the_dialpad_opens_the_door(page: ComponentPage, call_the_door: CallTheDoor, home: Home) -> None:
    await call_the_door()
    before = home.relay_pulses()
    await page.click("sw-call-dialpad [part~=key]", "9")
    await home.wait_for(lambda: home.relay_pulses() > before, "the relay")


async def test_the_device_selector_changes_the_microphone_of_the_call(
    page: ComponentPage, call_the_door: CallTheDoor, alsa_session: AlsaCards
) -> None:
    call = await call_the_door()
    for name in ("Fake Audio Input 1", "Fake Default Audio Input"):
        await page.click("sw-device-selector button.trigger")
        await page.click("sw-device-selector .device-item", name)
        await page.click("sw-device-selector button.trigger")
        await page.until_evaluated(f"() => window.reference.microphone('{call}') === '{name}'", f"its call with {name}")
        await the_door_hears_the_tablet(alsa_session)


async def test_the_hang_up_button_ends_the_call_at_the_door(
    page: ComponentPage, call_the_door: CallTheDoor, home: Home
) -> None:
    call = await call_the_door()
    await page.click(HANG_UP)
    await home.until(State.IDLE)
    await page.reaches(call, "destroyed")


async def test_the_microphone_button_silences_the_door_and_lets_it_hear_again(
    page: ComponentPage, call_the_door: CallTheDoor, alsa_session: AlsaCards
) -> None:
    await call_the_door()
    await the_door_hears_the_tablet(alsa_session)
    await page.click(button("mic-on"))
    await page.shows_state("micMuted", True)
    await the_door_hears_nothing(alsa_session)
    await page.click(button("mic-on"))
    await page.shows_state("micMuted", False)
    await the_door_hears_the_tablet(alsa_session)


async def test_the_speaker_button_lets_nothing_of_the_door_be_heard(
    page: ComponentPage, call_the_door: CallTheDoor, alsa_session: AlsaCards
) -> None:
    call = await call_the_door()

    async def until_heard(hz: float) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while abs(await page.heard_tone(call) - hz) > 10.0:
                pass

    with alsa_session.speak(tone(VISITOR_HZ, 4 * PATIENCE_S)):
        await until_heard(VISITOR_HZ)
        await page.click(button("speaker-on"))
        await until_heard(0.0)
        await page.click(button("speaker-on"))
        await until_heard(VISITOR_HZ)


async def test_the_hand_goes_up_and_down(page: ComponentPage, call_the_door: CallTheDoor) -> None:
    call = await call_the_door()
    for up in (True, False):
        await page.click(button("hand-raise"))
        await page.until_members(call, lambda members, up=up: members["tablet"]["handraised"] is up, "the hand")


async def test_the_participants_and_oneself_have_their_places(page: ComponentPage, call_the_door: CallTheDoor) -> None:
    await call_the_door()
    await page.shows("sw-participants .member-overlay.is-self")
    await page.shows("sw-participants .member-overlay:not(.is-self)")
    await page.plays("sw-self-media")


async def test_the_participant_controls_mute_the_door_and_stop_its_picture(
    page: ComponentPage, call_the_door: CallTheDoor, home: Home, alsa_session: AlsaCards
) -> None:
    call = await call_the_door()
    members = await page.until_members(call, lambda members: "Front door" in members, "the door among its members")
    await page.give("sw-participant-controls", participantId=members["Front door"]["id"])
    with alsa_session.speak(tone(VISITOR_HZ, 6 * PATIENCE_S)):
        await page.hears(call, VISITOR_HZ)
        await page.click("sw-participant-controls button", "Mute")
        await page.hears(call, 0.0)
        await home.wait_for(lambda: light(home) is Pattern.MUTED, "the light of a muted call")
        await page.click("sw-participant-controls button", "Unmute")
        await page.hears(call, VISITOR_HZ)
    await page.click("sw-participant-controls button", "Disable video")
    before = await until_its_picture_stands_still(page, call)
    await page.click("sw-participant-controls button", "Enable video")
    await page.until_report(call, lambda report: report["videoFrames"] > before + 5, "the door's picture again")


async def test_the_participant_controls_name_the_door_and_remove_it(
    page: ComponentPage, call_the_door: CallTheDoor, home: Home
) -> None:
    call = await call_the_door()
    members = await page.until_members(call, lambda members: "Front door" in members, "the door among its members")
    await page.give("sw-participant-controls", participantId=members["Front door"]["id"])
    await page.shows("sw-participant-controls [part=name]", "Front door")
    await page.click("sw-participant-controls button", "Remove")
    await home.until(State.IDLE)
    await page.reaches(call, "destroyed")


async def test_the_camera_button_stops_the_pictures_at_the_far_end(page: ComponentPage, neighbour: Peer) -> None:
    """The far end is not the door: the door asks nobody for a picture."""
    call = await page.dial("/private/neighbour")
    await neighbour.answer()
    await page.show(call)
    await page.reaches(call, "connected")
    await neighbour.hears_and_sees()
    await page.click(button("camera-on"))
    await page.shows_state("cameraMuted", True)
    await until_no_frames_come(neighbour)
    await page.click(button("camera-on"))
    await page.shows_state("cameraMuted", False)
    before = neighbour.video_frames
    async with asyncio.timeout(PATIENCE_S):
        while neighbour.video_frames < before + 10:
            await asyncio.sleep(0.05)
    await page.hangup(call)


async def test_the_widget_dials_shows_the_door_and_hangs_up(
    page: ComponentPage, sign_in: SignIn, space: Space, home: Home, alsa_session: AlsaCards
) -> None:
    await home.until(State.IDLE)
    await sign_in("sw-call-widget", destination="/private/door")
    await page.click("#dial")
    await home.until(State.IN_CALL)
    await the_door_hears_the_tablet(alsa_session)
    await page.until_evaluated(
        """() => document.querySelector("sw-call-widget").shadowRoot.querySelector("sw-call-media")
                   ?.shadowRoot.querySelector("video").getVideoPlaybackQuality().totalVideoFrames > 10""",
        "the door's picture in the widget",
    )
    await page.click("sw-call-widget " + button("mic-on"))
    await the_door_hears_nothing(alsa_session)
    await page.click("sw-call-widget .hangup button")
    await home.until(State.IDLE)


async def test_the_widget_says_that_a_call_failed(page: ComponentPage, sign_in: SignIn) -> None:
    await sign_in("sw-call-widget", destination="/private/castle")
    await page.click("#dial")
    await page.shows("sw-ui-alert dialog", "Call Failed")
    await page.click("sw-ui-alert .accept")


async def test_click_to_call_calls_the_door_and_its_closed_window_hangs_up(
    page: ComponentPage, sign_in: SignIn, home: Home
) -> None:
    await home.until(State.IDLE)
    await sign_in("sw-click-to-call", destination="/private/door")
    await page.click("sw-click-to-call .call-button")
    await home.until(State.IN_CALL)
    await page.shows("sw-click-to-call sw-ui-modal sw-ui-call-layout")
    await page.click("sw-click-to-call .hangup button")
    await home.until(State.IDLE)


async def test_a_press_at_the_door_is_an_incoming_call_of_the_widget(
    page: ComponentPage, sign_in: SignIn, home: Home
) -> None:
    await home.until(State.IDLE)
    await sign_in("sw-call-widget", allowIncomingCalls=True)
    await home.press()
    await page.shows("sw-ui-alert dialog", "Front door is calling")
    await page.click("sw-ui-alert .accept")
    await home.until(State.IN_CALL)
    await page.click("sw-call-widget .hangup button")
    await home.until(State.IDLE)
