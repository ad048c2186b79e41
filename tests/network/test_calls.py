"""What befalls a network in the middle of a call, with real links, routes and sockets."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.network.processes import Neighbourhood, Told

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]  # the first starts them all

AUDIBLE_S = 30.0
"""Time limit from the network's return to sound both ways; `bench network` measures it, and its target is 3 s."""


async def test_a_call_goes_on_over_another_address(here: Neighbourhood) -> None:
    await here.talk()
    here.street.leave("cable")
    here.street.renumber("cable", 77)
    back = time.monotonic()
    assert await here.audible(back) < AUDIBLE_S
    assert await here.registered(back) < AUDIBLE_S
    await here.goes_on()


async def test_a_call_moves_from_the_cable_to_wifi(here: Neighbourhood) -> None:
    await here.talk()
    here.street.plug("cable", False)
    here.street.leave("cable")
    here.street.join("wifi", here.street.door)
    back = time.monotonic()
    assert await here.audible(back) < AUDIBLE_S
    await here.goes_on()


async def test_a_call_outlives_a_router_that_loses_everything_for_a_while(here: Neighbourhood) -> None:
    await here.talk()
    here.street.forward(False)
    since = time.monotonic()
    await here.door.until(lambda told: told["what"] == "registered" and not told["on"], "the loss", since)
    await here.status_when(
        lambda status: (status["call"]["recovery"] or {}).get("step") == "waiting for the service", "the wait for it"
    )
    here.street.forward(True)
    back = time.monotonic()
    assert await here.audible(back) < AUDIBLE_S
    assert await here.registered(back) < AUDIBLE_S
    await here.goes_on()


async def test_a_hang_up_that_was_missed_is_learned(here: Neighbourhood) -> None:
    await here.talk()
    here.street.swallow("tcp", True)
    since = time.monotonic()
    try:
        await here.resident.do("hang_up")
        await here.door.until(lambda told: told["what"] == "registered" and not told["on"], "the loss", since)
        await here.door.until(lambda t: t["what"] == "call" and t["status"] == "recovering", "the search", since)
    finally:
        here.street.swallow("tcp", False)
    ended = await here.door.until(lambda t: t["what"] == "call" and t["status"] == "destroyed", "the end", since)
    assert ended["cause"] == "NORMAL_CLEARING"


async def test_a_call_goes_on_without_the_space_and_its_hang_up_is_heard_after_it(here: Neighbourhood) -> None:
    await here.talk()
    call = (await here.door.do("status"))["call"]["id"]
    await here.space.when("kept_calls", lambda kept: call in kept, "the call in the space's file")
    since = time.monotonic()
    await here.space.kill()
    await here.start_space()
    back = time.monotonic()
    assert await here.registered(back) < AUDIBLE_S
    assert await here.audible(back) < AUDIBLE_S
    for process in (here.door, here.resident):
        # A machine that stands still may have it recover for a moment; it is this call that goes on.
        told = {told["status"] for told in process.told if told["what"] == "call" and told["at"] > since}
        assert told <= {"recovering", "connected"}
    await here.resident.do("hang_up")
    ended = await here.door.until(lambda t: t["what"] == "call" and t["status"] == "destroyed", "the end", since)
    assert ended["cause"] == "NORMAL_CLEARING"


async def test_a_path_that_closes_is_left_for_the_relay(here: Neighbourhood) -> None:
    await here.talk()
    since = time.monotonic()
    here.street.swallow("udp", True, but_port=3478)
    try:
        for process in (here.door, here.resident):
            await process.until(lambda told: told["what"] == "sound" and not told["on"], "silence", since)
        assert await here.audible(time.monotonic()) < AUDIBLE_S
        await here.goes_on()
    finally:
        here.street.swallow("udp", False, but_port=3478)


async def test_a_call_without_any_path_climbs_the_ladder_and_is_given_up_with_a_tone(here: Neighbourhood) -> None:
    await here.talk()
    since = time.monotonic()
    steps: list[str] = []

    def note(told: Told) -> bool:
        return told["what"] == "call" and told["status"] == "destroyed"

    def heard(name: str) -> float:
        return next(told["at"] for told in here.door.told if told["at"] >= since and told.get("name") == name)

    here.street.swallow("udp", True)
    try:
        ended = asyncio.ensure_future(here.door.until(note, "the end", since))
        while not ended.done():
            status = await here.door.do("status")
            if status["call"] and status["call"]["recovery"]:
                steps.append(status["call"]["recovery"]["step"])
                assert status["call"]["recovery"]["of"] == 8
            await asyncio.sleep(0.05)
        assert (await ended)["cause"] == "MEDIA_TIMEOUT"
    finally:
        here.street.swallow("udp", False)
    assert {"new path", "relay only"} <= set(steps)
    await here.door.until(lambda told: told["what"] == "tone" and told["name"] == "error", "the notice", since)
    assert since < heard("mending") < heard("error") - 5.0, "the visitor is told at once that the call is being mended"
    await here.resident.until(note, "the far end's end", since)
    status = await here.door.do("status")
    assert (status["state"], status["call"], status["faults"]) == ("idle", None, [])


async def test_a_door_that_is_removed_in_a_call_ends_it_and_is_back_when_it_is_admitted(here: Neighbourhood) -> None:
    await here.talk()
    since = time.monotonic()
    await here.space.do("remove_door")
    for process in (here.door, here.resident):
        await process.until(lambda told: told["what"] == "call" and told["status"] == "destroyed", "the end", since)
    await here.door.until(lambda told: told["what"] == "state" and told["state"] == "registering", "rest", since)
    assert (await here.door.do("status"))["call"] is None
    await here.door.logged("not known there")
    await here.space.do("readmit_door")
    here.street.renumber("cable", 99)  # or half a minute later
    assert await here.registered(time.monotonic()) < AUDIBLE_S
