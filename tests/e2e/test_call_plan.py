"""A press that goes on from device to device, with real calls and browsers."""

from __future__ import annotations

import pytest

from intercom.config import CallConfig, DoorConfig, StepConfig
from intercom.facts import Answered, StepBegan
from intercom.history.journal import Entry
from tests.e2e.conftest import PairStation, StartHome

pytestmark = pytest.mark.asyncio(loop_scope="session")

KITCHEN, STUDY, ATTIC = "/private/kitchen", "/private/study", "/private/attic"


async def test_a_press_leaves_an_empty_step_and_one_that_was_declined_and_is_answered_at_the_third(
    start_home: StartHome, pair_station: PairStation
) -> None:
    steps = (
        StepConfig(name="empty", ring=(ATTIC,), ring_time_s=150.0),
        StepConfig(name="kitchen", ring=(KITCHEN,), ring_time_s=150.0, refused="device"),
        StepConfig(name="both", ring=(KITCHEN, STUDY), ring_time_s=150.0),
    )
    home = await start_home(call=CallConfig(plan=steps), door=DoorConfig(pulse_s=0.5, openers=(STUDY,)))
    assert home.door is not None
    told: list[Entry] = []
    home.door.journal.subscribe(told.append)
    kitchen, study = await pair_station(home, "Kitchen"), await pair_station(home, "Study")
    await home.press()
    await kitchen.until("ringing")
    assert await study.page.get_attribute("body", "data-state") == "ready"
    assert home.door.handlers.status()["press"]["name"] == "kitchen"
    await kitchen.click("#decline")
    await study.until("ringing")
    await kitchen.until("ready")
    await study.click("#answer")
    await home.talks()
    facts = [entry.fact for entry in told]
    assert [fact.name for fact in facts if isinstance(fact, StepBegan)] == ["kitchen", "both"]
    assert [fact.call.address for fact in facts if isinstance(fact, Answered)] == [STUDY]
    await study.click("#open-door")
    await home.wait_for(lambda: home.door is not None and home.door.figures.doors_opened > 0, "the door to open")
