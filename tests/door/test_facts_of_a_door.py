"""What a whole door tells its journal, and what its journal cannot do to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from intercom.config import AudioConfig, CallConfig
from intercom.door.health.faults import Part
from intercom.door.machine import State
from intercom.facts import (
    Answered,
    CallBegan,
    DoorOpened,
    Ended,
    LockChanged,
    Pressed,
    RegistrationChanged,
    StateChanged,
)
from intercom.history.journal import Entry
from intercom.opening.decision import Way
from tests.e2e.home import Home, home_config


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), call=CallConfig(video=False)))
    await home.start()
    yield home
    await home.stop()


async def test_a_call_in_which_the_door_is_opened_is_one_row_of_facts(home: Home) -> None:
    assert home.door is not None
    journal = home.door.journal
    since = journal.cursor
    home.door.calls.ring("/public/echo")
    await home.until(State.IN_CALL)
    home.door.opener.ask(Way.CONTROL, "pi")
    await home.wait_for(lambda: any(entry.fact == LockChanged(is_open=True) for entry in journal.since(since)), "it")
    await home.door.calls.hang_up()
    await home.until(State.IDLE)
    facts = [entry.fact for entry in journal.since(since)]
    assert [type(fact) for fact in facts if isinstance(fact, Pressed | CallBegan | Answered | DoorOpened | Ended)] == [
        Pressed,
        CallBegan,
        Answered,
        DoorOpened,
        Ended,
    ]
    assert [fact.state for fact in facts if isinstance(fact, StateChanged)] == [
        State.RINGING,
        State.IN_CALL,
        State.IDLE,
    ]


async def test_a_door_that_the_service_reaches_has_said_so(home: Home) -> None:
    assert home.door is not None
    assert RegistrationChanged(registered=True) in [entry.fact for entry in home.door.journal.since(0)]


async def test_a_listener_that_always_raises_is_one_fault_of_a_door_that_goes_on(home: Home) -> None:
    assert home.door is not None
    door = home.door

    def fail(_: Entry) -> None:
        raise RuntimeError("it broke")

    door.journal.subscribe(fail)
    for _ in range(10):
        door.opener.ask(Way.CONTROL, "pi")
    await home.wait_for(lambda: door.figures.faults_cleared[Part.HOUSEKEEPING] > 0, "the fault to clear")
    assert door.figures.faults_begun[Part.HOUSEKEEPING] == 1
    assert door.summary == "idle; registered"
