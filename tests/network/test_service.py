"""What may be wrong between the door and its service while nobody talks: real sockets, and nobody is told."""

from __future__ import annotations

import time

import pytest

from tests.network.processes import Neighbourhood, Told

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]  # the first starts them all

BACK_S = 30.0
"""Time limit from the network's return to registered; `bench network` measures it, and its target is 1 s."""


def lost(told: Told) -> bool:
    return told["what"] == "registered" and not told["on"]


async def test_half_open_tcp_is_noticed_by_the_pulse_and_left(here: Neighbourhood) -> None:
    since = time.monotonic()
    here.street.swallow("tcp", True)
    try:
        await here.door.until(lost, "the loss", since)
        await here.door.until(lambda told: told.get("state") == "registering", "the state", since)
    finally:
        here.street.swallow("tcp", False)
    assert await here.registered(time.monotonic()) < BACK_S
    assert (await here.door.do("status"))["state"] == "idle"


async def test_a_cable_that_is_pulled_for_seconds_leaves_no_dead_socket(here: Neighbourhood) -> None:
    since = time.monotonic()
    here.street.plug("cable", False)
    await here.door.until(lost, "the loss", since)
    here.street.plug("cable", True)
    assert await here.registered(time.monotonic()) < BACK_S


async def test_another_address_is_registered_at_once(here: Neighbourhood) -> None:
    here.street.leave("cable")
    here.street.renumber("cable", 88)
    assert await here.registered(time.monotonic()) < BACK_S


async def test_a_space_that_was_killed_and_is_back_has_its_door_back(here: Neighbourhood) -> None:
    since = time.monotonic()
    await here.space.kill()
    try:
        await here.door.until(lost, "the loss", since)
    finally:
        await here.start_space()
    assert await here.registered(time.monotonic()) < BACK_S


async def test_a_door_that_starts_without_a_network_says_so_as_one_that_lost_it(here: Neighbourhood) -> None:
    await here.door.stop()
    here.street.leave("cable")
    await here.start_door()
    missed = await here.status_when(lambda status: bool(status["faults"]), "the fault")
    assert (missed["state"], [fault["kind"] for fault in missed["faults"]]) == ("registering", ["service"])
    assert "unreachable" in missed["faults"][0]["why"]
    here.street.join("cable", here.street.door)
    back = await here.status_when(lambda status: bool(status["registered"]), "the registration")
    assert (back["state"], back["faults"]) == ("idle", [])
    log = here.door.log.read_text()
    assert "The registration with the service does not work: " in log
    assert "The registration with the service works again after " in log
