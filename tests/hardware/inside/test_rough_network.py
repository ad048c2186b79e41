"""A call between two network namespaces on a kernel that can spoil the links between them, and whose clock may jump."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.network.processes import Neighbourhood, Told, neighbourhood

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIFI = "delay 40ms 15ms distribution normal loss 3% reorder 5% 25%"
"""Each way: Wi-Fi two walls away, with a microwave oven on."""
AUDIBLE_S = 30.0
"""Time limit for sound both ways; `bench network` measures it, and its target is 3 s."""
HOUR_S = 3600.0
MINUTE_MS = 60_000.0
"""Less than any jump of the clock, and more than any delay of a busy machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbourhood]:
    async with neighbourhood(tmp_path_factory.mktemp("street")) as here:
        assert here.street.has_netem
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def talking(home: Neighbourhood) -> AsyncIterator[Neighbourhood]:
    """Both ends hear each other."""
    await home.talk()
    yield home
    await home.mend()


async def test_a_call_is_heard_over_a_network_that_delays_loses_and_reorders_and_after_an_outage_of_it(
    talking: Neighbourhood,
) -> None:
    since = time.monotonic()
    talking.street.spoil(WIFI)

    def spoilt(status: Told) -> bool:
        heard = status["call"]["media"]
        return bool(heard["loss_percent"] or heard["far_loss_percent"]) and (heard["round_trip_ms"] or 0.0) > 60.0

    await talking.status_when(spoilt, "the loss and the delay in the figures")
    assert await talking.audible(since) < AUDIBLE_S
    talking.street.forward(False)
    for process in (talking.door, talking.resident):
        await process.until(lambda told: told["what"] == "sound" and not told["on"], "silence", since)
    talking.street.forward(True)
    assert await talking.audible(time.monotonic()) < AUDIBLE_S
    assert talking.call_status == "connected"
    talking.street.spoil("")


def measured(status: Told) -> bool:
    heard = status["call"]["media"]
    return heard["round_trip_ms"] is not None and heard["jitter_ms"] is not None


async def test_a_clock_that_jumps_by_hours_in_a_call_ends_nothing(talking: Neighbourhood) -> None:
    began = time.monotonic()
    status = await talking.status_when(measured, "a first measure")
    call = status["call"]["id"]
    for hours in (9000.0, -9001.0):  # a Pi that boots in the past learns the time; somebody sets it back by too much
        time.clock_settime(time.CLOCK_REALTIME, time.time() + hours * HOUR_S)
        jumped = time.monotonic()
        assert await talking.audible(jumped) < AUDIBLE_S
        assert await talking.registered(jumped) == 0.0
        for process in (talking.door, talking.resident):
            assert not [told for told in process.told if told["what"] == "call" and told["at"] > jumped]
        status = await talking.door.do("status")
        assert (status["call"]["id"], status["faults"]) == (call, [])
        heard = status["call"]["media"]
        assert 0.0 < heard["round_trip_ms"] < MINUTE_MS
        assert heard["jitter_ms"] < MINUTE_MS

    def measured_again(status: Told) -> bool:
        again: float = status["call"]["media"]["round_trip_ms"]
        return again != heard["round_trip_ms"] and 0.0 < again < MINUTE_MS

    await talking.status_when(measured_again, "the far end's reports to go on")
    await talking.door.do("hang_up")
    lasted = time.monotonic() - began
    logged = await talking.door.do("last_call")
    assert (logged["id"], logged["outcome"]) == (call, "answered")
    assert lasted - 60.0 < logged["talked_s"] < lasted + 60.0
