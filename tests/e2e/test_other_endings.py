"""The calls that do not come to a talk, and the calls from the house to the door."""

from __future__ import annotations

import asyncio

import pytest

from intercom.config import CallConfig, PanelConfig
from intercom.door.machine import Phase, State
from intercom.panel import Pattern
from tests.e2e.conftest import PairStation, StartHome
from tests.station.waiting import showed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_press_with_nobody_registered_shows_an_error_and_ends(start_home: StartHome) -> None:
    home = await start_home(call=CallConfig(ring_time_s=1))
    assert home.door is not None
    await home.press()
    await home.wait_for(lambda: home.door.feedback.pattern is Pattern.ERROR, "the light to say so")
    await home.until(State.IDLE)


async def test_the_house_declines(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#decline")
    await home.until(State.IDLE)
    await station.until("ready")


async def test_nobody_answers_until_the_ring_time_is_over(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home(call=CallConfig(ring_time_s=1))
    station = await pair_station(home)
    await home.press()
    await showed(station.page, "data-state=ringing")
    await home.until(State.IDLE)
    await station.until("ready")


async def test_the_visitor_gives_up_by_holding_the_button(start_home: StartHome, pair_station: PairStation) -> None:
    # A tap is no hold, though a busy machine takes the finger away late.
    home = await start_home(panel=PanelConfig(pins="simulated", page_listen="", hold_s=4.0))
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await home.hold()
    await station.until("ready")
    await home.until(State.IDLE)


async def test_the_first_of_two_stations_gets_the_call_and_the_other_falls_silent(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    kitchen, study = await pair_station(home, "Kitchen"), await pair_station(home, "Study")
    await home.press()
    await kitchen.until("ringing")
    await study.until("ringing")
    await study.click("#answer")
    await study.until("in-call")
    await kitchen.until("ready")


async def test_a_listed_caller_is_answered_by_the_door_itself(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home(call=CallConfig(auto_answer=("/private/*",)))
    station = await pair_station(home)
    await station.click("#call-door")
    await station.until("in-call")
    await home.talks()


async def test_another_caller_rings_at_the_door_until_the_button_answers(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await station.click("#call-door")
    await home.until(State.RINGING)
    await station.until("calling")
    await home.press()
    await station.until("in-call")
    await home.talks()


async def test_a_caller_who_gives_up_leaves_the_door_idle(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home()
    station = await pair_station(home)
    await station.click("#call-door")
    await home.until(State.RINGING)
    await station.click("#hangup")
    await home.until(State.IDLE)


async def test_a_second_caller_hears_that_the_door_is_busy(start_home: StartHome, pair_station: PairStation) -> None:
    home = await start_home(call=CallConfig(auto_answer=("/private/*",)))
    kitchen, study = await pair_station(home, "Kitchen"), await pair_station(home, "Study")
    await kitchen.click("#call-door")
    await kitchen.until("in-call")
    await study.click("#call-door")
    await study.until("ready")
    assert "in another call" in await study.page.inner_text("#error")
    assert home.door is not None
    assert home.door.machine.phase is Phase.ACTIVE


async def test_a_press_and_a_call_in_the_same_instant_never_make_two_calls(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home(call=CallConfig(auto_answer=("/private/*",)))
    station = await pair_station(home)
    await asyncio.gather(home.press(), station.page.evaluate("document.querySelector('#call-door').click()"))
    door = home.door
    assert door is not None
    await home.wait_for(
        lambda: len(door.client.session.calls) == (home.machine_state in (State.RINGING, State.IN_CALL)),
        "one call, and the machine to know it",
    )
    assert (await station.page.get_attribute("body", "data-state")) in ("ready", "ringing", "calling", "in-call")


async def test_the_caller_whom_the_button_let_in_cannot_open_the_door(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await station.click("#call-door")
    await home.until(State.RINGING)
    await home.press()
    await station.until("in-call")
    await station.click("#open-door")
    await station.page.wait_for_selector("#error:not([hidden])")
    assert not home.relay_was_on()


async def test_a_door_that_starts_again_in_a_call_is_silent_and_idle(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    await station.click("#answer")
    await home.talks()
    await home.crash_and_start_again()
    await station.until("ready")
    assert home.machine_state is State.IDLE
    assert home.door is not None
    assert home.door.client.session.calls == []
    assert not home.door.engine.stats().running


async def test_a_press_while_the_space_is_away_rings_when_it_is_back(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.restart_space(home.press)
    await station.until("ringing")
    await home.until(State.RINGING)


async def test_a_page_that_rang_when_the_space_was_restarted_rings_again_and_answers(
    start_home: StartHome, pair_station: PairStation
) -> None:
    home = await start_home()
    station = await pair_station(home)
    await home.press()
    await station.until("ringing")
    assert home.door is not None
    recorder = home.door.recorder
    assert recorder.call is not None
    first = recorder.call.call.id

    async def nothing() -> None:
        """It only goes and comes."""

    await home.restart_space(nothing)
    await home.wait_for(lambda: recorder.call is not None and recorder.call.call.id != first, "another call")
    await station.page.wait_for_function("() => document.body.dataset.link === 'ready'")
    await station.until("ringing")
    await station.click("#answer")
    await station.until("in-call")
    await home.talks()
