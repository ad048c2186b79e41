"""Two ends of a call in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from intercom.config import AudioConfig
from intercom.media.cards.card import Cards
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.events import EngineEvent
from intercom.media.rtp.peer import DoorCall
from intercom.media.sound.engine import AudioEngine
from tests.alsa import AlsaCards, cards_named
from tests.media.events import Reported

LIMIT_S = 60.0
"""Limit of every wait for what must come, however busy the machine is."""


@contextmanager
def running_engine(cards: Cards) -> Iterator[AudioEngine]:
    reported: Reported[EngineEvent] = Reported()
    engine = AudioEngine(cards, on_event=reported)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def on(cards: AlsaCards) -> Cards:
    return cards_named(cards.microphone, cards.speaker)


def simulated() -> Cards:
    return SimulatedCards(AudioConfig())


async def wait_for_state(call: DoorCall, wanted: str) -> None:
    reached = asyncio.Event()

    def changed(state: str) -> None:
        if state == wanted:
            reached.set()

    subscription = call.state_stream.subscribe(changed)
    try:
        await asyncio.wait_for(reached.wait(), LIMIT_S)
    finally:
        subscription.dispose()


@asynccontextmanager
async def connected(caller: DoorCall, callee: DoorCall) -> AsyncIterator[None]:
    """Offer, answer, wait until both are connected; closes both."""
    try:
        answer = await callee.create_answer(await caller.create_offer())
        await caller.accept_answer(answer)
        await asyncio.gather(wait_for_state(caller, "connected"), wait_for_state(callee, "connected"))
        yield
    finally:
        await asyncio.gather(caller.close(), callee.close())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def stopwatch() -> AsyncIterator[Callable[[], float]]:
    """Yields a clock that stands still while this process does: it counts the turns of 10 ms that the loop had."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    turning = asyncio.create_task(turn())
    try:
        yield lambda: turns / 100
    finally:
        turning.cancel()


def arrivals(call: DoorCall, clock: Callable[[], float] = time.monotonic) -> list[float]:
    """When packets come in, from now on."""
    times: list[float] = []
    receive = call._far_end.receive

    def note(*arguments: Any) -> None:
        times.append(clock())
        receive(*arguments)

    call._far_end.receive = note  # type: ignore[method-assign, assignment]  # only listens
    return times


async def move(offering: DoorCall, answering: DoorCall) -> None:
    await offering.accept_answer(await answering.create_restart_answer(await offering.create_restart_offer()))
