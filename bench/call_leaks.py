"""Two hundred calls, ended in every way there is: what is left behind afterwards."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.report import Report
from intercom.config import AudioConfig
from intercom.media.engine import AudioEngine
from intercom.media.errors import SessionDescriptionError
from intercom.media.peer import DoorCall, DoorMedia
from intercom.media.simulated import SimulatedCards

CALLS = 200
WARM_UP_CALLS = 16
"""Imports, caches and thread pools are filled by then."""
TALK_S = 0.1


async def hung_up_by_us(caller: DoorCall, callee: DoorCall) -> None:
    await _connect(caller, callee)
    await asyncio.sleep(TALK_S)
    await caller.close()


async def hung_up_by_them(caller: DoorCall, callee: DoorCall) -> None:
    await _connect(caller, callee)
    await asyncio.sleep(TALK_S)
    await callee.close()


async def both_at_once(caller: DoorCall, callee: DoorCall) -> None:
    await _connect(caller, callee)
    await asyncio.gather(caller.close(), callee.close())


async def never_offered(caller: DoorCall, callee: DoorCall) -> None:
    """Closed before anything was said."""


async def never_answered(caller: DoorCall, callee: DoorCall) -> None:
    await caller.create_offer()


async def answered_too_late(caller: DoorCall, callee: DoorCall) -> None:
    await callee.create_answer(await caller.create_offer())


async def answered_with_nonsense(caller: DoorCall, callee: DoorCall) -> None:
    await caller.create_offer()
    try:
        await caller.accept_answer("v=0\r\nm=audio 0 RTP/AVP 0\r\n")
    except SessionDescriptionError:
        return
    raise AssertionError("nonsense was taken for an answer")


async def hung_up_while_connecting(caller: DoorCall, callee: DoorCall) -> None:
    await caller.accept_answer(await callee.create_answer(await caller.create_offer()))


async def moved_and_hung_up(caller: DoorCall, callee: DoorCall) -> None:
    """A new connection is under way, and new offers were given up, when it ends."""
    await _connect(caller, callee)
    await caller.accept_answer(await callee.create_restart_answer(await caller.create_restart_offer()))
    await caller.create_restart_offer()
    await caller.create_restart_offer()
    await caller.close()


async def moved_while_it_ends(caller: DoorCall, callee: DoorCall) -> None:
    """The new connection is neither connected nor refused yet."""
    await _connect(caller, callee)
    await callee.create_restart_answer(await caller.create_restart_offer())
    await callee.close()


ENDINGS: tuple[Callable[[DoorCall, DoorCall], Awaitable[None]], ...] = (
    hung_up_by_us,
    hung_up_by_them,
    both_at_once,
    never_offered,
    never_answered,
    answered_too_late,
    answered_with_nonsense,
    hung_up_while_connecting,
    moved_and_hung_up,
    moved_while_it_ends,
)


async def _connect(caller: DoorCall, callee: DoorCall) -> None:
    await caller.accept_answer(await callee.create_answer(await caller.create_offer()))
    while not caller.state == callee.state == "connected":
        await asyncio.sleep(0.005)


def _counts() -> dict[str, float]:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "fds": len(os.listdir("/proc/self/fd")),  # noqa: PTH208  (one name each is enough)
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
    }


async def measure(calls: int, warm_up: int = WARM_UP_CALLS) -> dict[str, float]:
    """What `calls` calls leave behind."""
    engines = [AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None) for _ in range(2)]
    for engine in engines:
        engine.start()
    near, far = (DoorMedia(engine, on_event=lambda event: None) for engine in engines)
    before: dict[str, float] = {}
    try:
        for number in range(warm_up + calls):
            if number == warm_up:
                await asyncio.sleep(1.0)
                before = _counts()
            caller, callee = near.open(f"{number}a", []), far.open(f"{number}b", [])
            await asyncio.wait_for(ENDINGS[number % len(ENDINGS)](caller, callee), 20)
            await asyncio.gather(caller.close(), callee.close())
        await asyncio.sleep(1.0)
        after = _counts()
        assert not any(engine.stats().running for engine in engines), "a device still runs after the last call"
    finally:
        for engine in engines:
            engine.stop()
    return {
        "leaked_fds": after["fds"] - before["fds"],
        "leaked_threads": after["threads"] - before["threads"],
        "leaked_tasks": after["tasks"] - before["tasks"],
        "rss_growth_mb": round(after["rss_mb"] - before["rss_mb"], 1),
    }


async def run() -> Report:
    """Measure it over all endings."""
    return Report(
        "call-leaks",
        await measure(CALLS),
        targets={"leaked_fds": 0, "leaked_threads": 0, "leaked_tasks": 0, "rss_growth_mb": 5},
        notes=(f"{CALLS} calls after {WARM_UP_CALLS} that warm up, {len(ENDINGS)} ways to end, both ends here.",),
    )
