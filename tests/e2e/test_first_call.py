"""The main job, end to end: a finger on the button, the house rings, they talk, the door opens, it is over."""

from __future__ import annotations

import asyncio

import pytest

from intercom.config import CallConfig
from intercom.door.machine import State
from intercom.panel import Pattern
from intercom.space.switch.sessions import sessions
from tests.alsa import AlsaCards, tone
from tests.e2e.conftest import RESIDENT_HZ, VISITOR_HZ, PairStation, StartHome
from tests.e2e.home import PATIENCE_S
from tests.station.waiting import showed, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLEARLY_DB = 25.0
"""A tone this far over the rest of the spectrum is no accident."""


async def test_the_visitor_presses_and_sees_and_hears_it(
    start_home: StartHome, pair_station: PairStation, alsa_cards: AlsaCards
) -> None:
    home = await start_home()
    await pair_station(home)
    assert home.door is not None
    with alsa_cards.listen() as ear:
        await home.press()
        lights = home.door.panel.lights
        await home.wait_for(lambda: lights.pattern in {Pattern.PRESSED, Pattern.RINGING}, "the light")
        await asyncio.to_thread(ear.wait_for_sound)


async def test_the_page_rings_when_the_button_is_pressed(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    assert "Front door" in await station.page.inner_text("body")
    await home.was(State.RINGING)


async def test_picture_and_sound_go_both_ways_after_the_answer(
    start_home: StartHome, pair_station: PairStation, alsa_cards: AlsaCards
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#answer")
    await station.until("in-call")
    await home.talks()
    with alsa_cards.listen() as ear, alsa_cards.speak(tone(VISITOR_HZ, 2 * PATIENCE_S)):
        assert await station.hears(VISITOR_HZ) > CLEARLY_DB
        await home.sounds(ear, RESIDENT_HZ)
    before = await station.frames()
    await home.wait_for_async(station.frames, lambda frames: frames > before + 10, "the picture to move")


async def test_the_station_opens_the_door_for_its_pulse(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#answer")
    await station.until("in-call")
    await home.talks()
    assert not home.relay_was_on()
    await station.click("#open-door")
    await home.wait_for(home.relay_was_on, "the relay")
    await showed(station.page, "data-door=open")
    await home.wait_for(lambda: not home.relay_is_on(), "the end of the pulse")
    await station.page.wait_for_selector("#open-door[data-door=closed]")


async def test_the_house_hangs_up(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#answer")
    await home.talks()
    await station.until("in-call")
    await station.click("#hangup")
    await home.until(State.IDLE)
    await station.until("ready")


async def test_a_page_that_is_loaded_anew_goes_on_with_the_call(
    start_home: StartHome, pair_station: PairStation, alsa_cards: AlsaCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LEFT_LIMIT_S", PATIENCE_S)  # a browser on a busy machine loads a page for seconds
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#answer")
    await home.talks()
    await station.until("in-call")
    assert home.door is not None
    call = home.door.calls.call
    await station.page.reload()
    await station.until("in-call")
    await until(station.page, "document.querySelector('#remote-audio').srcObject !== null")
    with alsa_cards.listen() as ear, alsa_cards.speak(tone(VISITOR_HZ, 2 * PATIENCE_S)):
        assert await station.hears(VISITOR_HZ) > CLEARLY_DB
        await home.sounds(ear, RESIDENT_HZ)
    await home.wait_for_async(station.frames, lambda frames: frames > 10, "the picture to move")
    assert home.door.calls.call is call
    await station.click("#open-door")
    await home.wait_for(home.relay_was_on, "the relay")
    await station.click("#hangup")
    await home.until(State.IDLE)


async def test_the_door_ends_the_call_at_its_time_limit(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home(call=CallConfig(time_limit_s=3, warning_before_end_s=1))
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#answer")
    await home.was(State.IN_CALL)
    await home.until(State.IDLE)
    await station.until("ready")
