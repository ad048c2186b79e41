"""A whole door station whose parts fail: they are started again, and what cannot be ends the program on purpose."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.config import AudioConfig
from intercom.door.health.faults import TRIES, Part
from intercom.door.health.supervisor import PartFailedError
from intercom.door.machine import Fault, Phase, State
from tests.e2e.home import Home, home_config


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated")))
    await home.start()
    yield home
    await home.stop()


class DefectError(Exception):
    """What nobody expected."""


async def in_call(home: Home) -> None:
    assert home.door is not None
    home.door.calls.ring("/public/echo")
    await home.until(State.IN_CALL)


async def mended(home: Home, kind: str) -> None:
    """Wait until this fault began and is over."""
    assert home.door is not None
    figures = home.door.figures
    await home.wait_for(lambda: figures.faults_cleared[kind] > 0, f"{kind} to be mended")
    assert kind not in home.door.faults.open


async def test_an_audio_thread_that_died_runs_again_and_the_call_goes_on(home: Home) -> None:
    assert home.door is not None
    await in_call(home)
    engine = home.door.engine
    thread = engine._thread

    def defect(*_: object) -> None:
        del engine._serve  # type: ignore[attr-defined]  # the class's own again
        raise DefectError("in the audio thread")

    engine._serve = defect  # type: ignore[method-assign, assignment]
    await mended(home, Part.AUDIO_THREAD)
    assert engine._thread is not thread
    await home.wait_for(lambda: home.door is not None and home.door.engine.stats().running, "sound to flow")
    await home.until(State.IN_CALL)


async def test_lights_whose_thread_died_play_on(home: Home) -> None:
    assert home.door is not None
    home.door.restarts.failed(Part.LIGHTS, DefectError("in the lights"))
    await mended(home, Part.LIGHTS)
    await home.until(State.IDLE)


async def test_the_clients_broken_work_makes_it_connect_anew_and_be_told_again(home: Home) -> None:
    assert home.door is not None
    client = home.door.client
    reconnects = client._client.link.reconnects
    home.door.client_events.unfollow()  # as when each subscriber raised
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "test", "exception": DefectError("in the client"), "part": "client"})
    await home.wait_for(lambda: client._client.link.reconnects > reconnects, "the client to connect anew")
    await mended(home, Part.CLIENT)
    await home.until(State.IDLE)
    await in_call(home)


async def test_a_connection_that_nobody_keeps_any_more_is_kept_again(home: Home) -> None:
    assert home.door is not None
    link = home.door.client._client.link
    assert link._task is not None
    link._task.cancel()
    await home.until(State.REGISTERING)
    await home.until(State.IDLE)
    await mended(home, Part.CLIENT)


async def test_a_call_whose_following_died_is_over(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.door is not None
    calls = home.door.calls

    def defect(*_: object) -> None:
        raise DefectError("in the calls")

    monkeypatch.setattr(calls, "_was_answered", defect)
    calls.ring("/public/echo")
    await mended(home, Part.CALLS)
    await home.until(State.IDLE)
    assert home.door.machine.phase is Phase.NONE
    assert calls.call is None


async def test_a_part_that_keeps_failing_ends_the_program_when_the_call_is_over(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    assert home.door is not None
    door = home.door
    await in_call(home)
    ending = asyncio.create_task(door.wait_failed())
    for _ in range(TRIES + 1):
        watched = door.restarts._supervisor._watched[Part.BUTTON]
        watched.due = None  # as if its pause were over
        door.restarts.failed(Part.BUTTON, DefectError("in the button"))
    assert "The button failed 6 times" in caplog.text
    assert not ending.done()
    assert home.machine_state is State.RECOVERING or home.machine_state is State.IN_CALL
    await door.calls.hang_up()
    with pytest.raises(PartFailedError, match="the program ends to be started anew"):
        await asyncio.wait_for(ending, 60)


async def test_a_relay_that_fails_ends_the_program_at_once(home: Home) -> None:
    assert home.door is not None
    await in_call(home)
    home.door.restarts.failed_elsewhere(Part.RELAY, DefectError("the pin is gone"))
    with pytest.raises(PartFailedError):
        await asyncio.wait_for(home.door.wait_failed(), 60)


async def test_a_fault_is_told_when_it_begins_and_when_it_is_over_with_how_long(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    assert home.door is not None
    caplog.set_level(logging.INFO)
    home.door.machine.fault(Fault.SPEAKER, "it was pulled out")
    home.door.machine.fault_cleared(Fault.SPEAKER)
    told = [(record.levelname, record.message) for record in caplog.records if "speaker" in record.message]
    assert told[0] == ("WARNING", "The speaker does not work: it was pulled out")
    assert told[1][0] == "INFO"
    assert told[1][1].startswith("The speaker works again after ")
    assert 'intercom_fault_seconds_total{kind="speaker"}' in home.door.handlers.figures()


async def test_a_lost_registration_is_a_fault_with_a_beginning_and_an_end(home: Home) -> None:
    assert home.door is not None
    faults = home.door.faults

    async def nothing() -> None:
        assert "service" in faults.open

    await home.restart_space(nothing)
    await home.until(State.IDLE)
    (fault,) = faults.past
    assert (fault.kind, faults.open) == ("service", {})
    assert fault.lasted_s is not None


async def test_a_door_that_works_stands_nowhere_still(home: Home) -> None:
    assert home.door is not None
    door = home.door
    assert door.stalled() is None
    await home.wait_for(lambda: not door.engine._asked, "the audio thread to come round")
    assert door.stalled() is None
    assert door.summary == "idle; registered"


async def test_a_door_says_what_stands_still(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.door is not None
    monkeypatch.setattr(type(home.door.client), "overdue_s", 31.0)
    assert home.door.stalled() == "the session stands still for 31 s"
    monkeypatch.setattr(home.door.engine, "came_round", lambda: False)
    assert home.door.stalled() == "the audio thread stands still"


async def test_work_of_ours_that_nobody_waited_for_is_a_fault_and_a_librarys_is_only_logged(
    home: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home.door is not None
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "a library's own", "exception": DefectError("elsewhere")})
    assert "a library's own" in caplog.text
    assert home.door.figures.faults_begun[Part.HOUSEKEEPING] == 0

    def defect(_: object) -> None:
        raise DefectError("in a timer")

    monkeypatch.setattr(type(home.door.feedback), "pattern", property(defect))
    loop.call_soon(home.door.feedback.trying, True)
    await mended(home, Part.HOUSEKEEPING)


async def test_a_thread_of_ours_that_dies_is_a_fault_and_whoever_looked_sees_on(home: Home) -> None:
    assert home.door is not None
    camera = home.door.camera
    assert camera is not None

    def defect(_: object) -> None:
        camera._on_event = lambda event: None
        raise DefectError("in the camera's thread")

    camera._on_event = defect
    with camera.frames() as frames:
        await mended(home, Part.HOUSEKEEPING)
        await asyncio.wait_for(frames.next(), 60)


async def test_a_full_disk_is_a_fault_that_the_status_shows(home: Home) -> None:
    assert home.door is not None
    home.door.disk._free_bytes = lambda _: 0
    home.door.disk.look()
    (fault,) = home.door.handlers.status()["faults"]
    assert fault["kind"] == "disk"
    assert "make room" in fault["why"]
