"""The reference's web components, unmodified, in a call with the door: one page, one door, one space for all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from intercom.config import CallConfig, DoorConfig
from intercom.door.machine import State
from intercom.space import Space

from ..alsa import AlsaCards, alsa_session, tone_level_db
from ..e2e.home import Home, home_config
from .components import PATIENCE_S, ComponentPage, why_no_components
from .conftest import RESIDENT_HZ
from .sdk import reference_space

__all__ = ["alsa_session"]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(bool(why_no_components()), reason=why_no_components()),
]

HANG_UP = "sw-call-controls sw-ui-split-button.hangup button"

CallTheDoor = Callable[[], Awaitable[str]]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("components")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def space(directory: Path) -> AsyncIterator[Space]:
    async with reference_space(directory) as space:
        yield space


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(directory: Path, space: Space, alsa_session: AlsaCards) -> AsyncIterator[Home]:
    """The door, which answers the tablet at once."""
    (directory / "home").mkdir()
    config = home_config(
        call=CallConfig(auto_answer=("/private/tablet",), auto_answer_delay_s=0),
        door=DoorConfig(pulse_s=0.5, openers=("/private/tablet",)),
    )
    home = Home(directory / "home", config, space=space)
    await home.start()
    yield home
    await home.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser, space: Space, home: Home) -> AsyncIterator[ComponentPage]:
    async with ComponentPage(browser, space, "tablet", groups=("house",)) as page:
        yield page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call_the_door(page: ComponentPage, home: Home) -> CallTheDoor:
    """Return the call with the door that the components show; a test that ends it leaves the next one to dial."""
    calls: list[str] = []

    async def call_the_door() -> str:
        if not calls or (await page.report(calls[-1]))["status"] != "connected":
            await home.until(State.IDLE)
            calls.append(await page.dial("/private/door"))
            await page.show(calls[-1])
            await page.reaches(calls[-1], "connected")
            await home.until(State.IN_CALL)
        return calls[-1]

    return call_the_door


async def the_door_hears_the_tablet(alsa: AlsaCards) -> None:
    with alsa.listen() as ear:
        await asyncio.to_thread(ear.wait_for_tone, RESIDENT_HZ, timeout_s=PATIENCE_S)


async def the_door_hears_nothing(alsa: AlsaCards) -> None:
    """Wait for a whole second without the tablet's tone, which comes twice a second."""
    give_up = time.monotonic() + PATIENCE_S
    with alsa.listen() as ear:
        while tone_level_db(await asyncio.to_thread(ear.wait_for_seconds, 1.0), RESIDENT_HZ) > -60.0:
            assert time.monotonic() < give_up, "the door still hears the tablet"


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
    assert not home.relay_is_on()
    await page.click("sw-call-dialpad [part~=key]", "9")
    await home.wait_for(home.relay_is_on, "the relay")


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
