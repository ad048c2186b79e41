"""Calls ended in every way there is: what is left behind afterwards, and what each round of them leaves.

Every way of the media; and, with a whole door, its space and a resident, every way of the service.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench._allocated import Held, each, held
from bench._door_calls import DOOR_ENDINGS, door_calls
from bench.report import Report
from intercom.config import AudioConfig
from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.errors import SessionDescriptionError
from intercom.media.rtp.peer import CONNECT_DEADLINE_S, DoorCall, DoorMedia
from intercom.media.rtp.silence import SILENT_S
from intercom.media.sound.engine import AudioEngine
from intercom.service import memory

CALLS = 204
"""Twelve rounds of all ways."""
WARM_UP_CALLS = 51
"""Three of each: imports, caches and thread pools have their size by then."""
DOOR_CALLS = 45
"""Five rounds of all ways."""
DOOR_WARM_UP_CALLS = 63
"""Seven of each."""
KEPT_BYTES = 3000.0
"""Limit of what malloc holds more after each call: less than a call's two descriptions. SQLite's cache of the visits,
which ends at 2 MB, is a part of it.
"""
KEPT_OBJECTS = 5.0
"""Limit of Python's small objects more after each call: the rounds differ by a few dozen in 17 calls."""
DOOR_KEPT_OBJECTS = 10.0
"""The same for a whole door, whose five rounds of nine calls differ by more."""
TALK_S = 0.1
CALL_LIMIT_S = 60.0
"""Limit of one call, on a busy machine."""
SETTLE_S = 30.0
"""Limit of the time in which the last call's tasks and threads end, on a busy machine."""
PICTURE = VideoFormat(160, 90, 15, 100_000)


class Clock:
    """The calls' time, which can jump."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead_s

    def jump(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead_s += seconds


@dataclass
class Line:
    """One call, both of its ends, and what they hang on."""

    caller: DoorCall
    callee: DoorCall
    clock: Clock
    engine: AudioEngine
    """The caller's."""
    camera: Camera
    """The caller's."""

    async def connect(self) -> None:
        """Offer, answer, and wait until both are connected."""
        caller, callee = self.caller, self.callee
        await caller.accept_answer(await callee.create_answer(await caller.create_offer()))
        while not caller.state == callee.state == "connected":
            await asyncio.sleep(0.005)

    async def until(self, state: str) -> None:
        """Wait until the caller's end is in this state."""
        while self.caller.state != state:
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Close both ends, however far they have come."""
        await asyncio.gather(self.caller.close(), self.callee.close())


async def hung_up_by_us(line: Line) -> None:
    await line.connect()
    await asyncio.sleep(TALK_S)
    await line.caller.close()


async def hung_up_by_them(line: Line) -> None:
    await line.connect()
    await asyncio.sleep(TALK_S)
    await line.callee.close()


async def both_at_once(line: Line) -> None:
    await line.connect()
    await asyncio.gather(line.caller.close(), line.callee.close())


async def never_offered(line: Line) -> None:
    """Closed before anything was said."""


async def never_answered(line: Line) -> None:
    await line.caller.create_offer()


async def answered_too_late(line: Line) -> None:
    await line.callee.create_answer(await line.caller.create_offer())


async def answered_with_nonsense(line: Line) -> None:
    await line.caller.create_offer()
    await _refused(line, "v=0\r\nm=audio 0 RTP/AVP 0\r\n")


async def _refused(line: Line, answer: str) -> None:
    try:
        await line.caller.accept_answer(answer)
    except SessionDescriptionError:
        return
    raise AssertionError("an answer that cannot be used was taken")


async def hung_up_while_connecting(line: Line) -> None:
    await line.caller.accept_answer(await line.callee.create_answer(await line.caller.create_offer()))


async def moved_and_hung_up(line: Line) -> None:
    """A new connection is under way, and new offers were given up, when it ends."""
    await line.connect()
    await line.caller.accept_answer(await line.callee.create_restart_answer(await line.caller.create_restart_offer()))
    await line.caller.create_restart_offer()
    await line.caller.create_restart_offer()
    await line.caller.close()


async def moved_while_it_ends(line: Line) -> None:
    """The new connection is neither connected nor refused yet."""
    await line.connect()
    await line.callee.create_restart_answer(await line.caller.create_restart_offer())
    await line.callee.close()


async def refused_by_them(line: Line) -> None:
    """Their answer declines the sound."""
    answer = await line.callee.create_answer(await line.caller.create_offer())
    await _refused(line, re.sub(r"m=audio \d+", "m=audio 0", answer))


async def no_codec_in_common(line: Line) -> None:
    offer = await line.caller.create_offer()
    try:
        await line.callee.create_answer(offer.replace("opus", "speex").replace("PCM", "G72"))
    except SessionDescriptionError:
        return
    raise AssertionError("an offer without a codec of ours was answered")


async def never_connected(line: Line) -> None:
    """Their answer names an address where nobody is: fifteen seconds later it is over."""
    answer = await line.callee.create_answer(await line.caller.create_offer())
    lost = [row for row in answer.splitlines() if not row.startswith("a=candidate")]
    await line.caller.accept_answer("\r\n".join(lost) + "\r\n")
    line.clock.jump(CONNECT_DEADLINE_S + 1)
    await line.until("failed")


async def given_up_while_offering(line: Line) -> None:
    """Whoever dials is cancelled."""
    offering = asyncio.create_task(line.caller.create_offer())
    await asyncio.sleep(0)
    offering.cancel()
    await asyncio.wait([offering])


async def vanished(line: Line) -> None:
    """The far end's machine dies: its sockets are gone without a word."""
    await line.connect()
    peer = line.callee._connection._peer
    for transport in peer._RTCPeerConnection__iceTransports:  # type: ignore[attr-defined]  # aiortc gives them no other name
        await transport._connection.close()
    line.clock.jump(SILENT_S + 1)
    await asyncio.sleep(TALK_S)


async def ended_while_it_dials_keys(line: Line) -> None:
    await line.connect()
    keys = asyncio.create_task(line.caller.send_digits("123456789"))
    await asyncio.sleep(TALK_S)
    await line.caller.close()
    await asyncio.wait([keys])


async def ended_without_its_devices(line: Line) -> None:
    """The card is away and the camera forbidden when it ends."""
    await line.connect()
    line.engine.reopen("capture", lambda: True)
    line.camera.forbid(True)
    await asyncio.sleep(TALK_S)
    await line.caller.close()
    line.camera.forbid(False)


ENDINGS: tuple[Callable[[Line], Awaitable[None]], ...] = (
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
    refused_by_them,
    no_codec_in_common,
    never_connected,
    given_up_while_offering,
    vanished,
    ended_while_it_dials_keys,
    ended_without_its_devices,
)


def _counts() -> dict[str, float]:
    gc.collect()
    memory.trim()  # as a door does after each call
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "fds": len(os.listdir("/proc/self/fd")),  # noqa: PTH208  (one name each is enough)
        # The event loop's pool grows to its size whenever it likes, and no further.
        "threads": sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate()),
        "tasks": len(asyncio.all_tasks()),
        "rss_mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
    }


async def measure(calls: int, warm_up: int = WARM_UP_CALLS) -> dict[str, float]:
    """What `calls` calls leave behind, each with sound both ways and a picture one way."""
    clock = Clock()
    engines = [AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None) for _ in range(2)]
    for engine in engines:
        engine.start()
    camera = Camera(PatternSource(PICTURE))
    near = DoorMedia(engines[0], lambda: camera, on_event=lambda event: None, clock=clock)
    far = DoorMedia(engines[1], on_event=lambda event: None, clock=clock)
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    rounds: list[Held] = []
    try:
        for number in range(warm_up + calls + 1):
            if number >= warm_up and (number - warm_up) % len(ENDINGS) == 0:
                await asyncio.to_thread(camera.stop)
                after = await _settled_counts(1.0, before)
                before = before or after
                rounds.append(held())
            if number == warm_up + calls:
                break
            caller, callee = near.open(f"{number}a", []), far.open(f"{number}b", [], video=False)
            line = Line(caller, callee, clock, engines[0], camera)
            await asyncio.wait_for(ENDINGS[number % len(ENDINGS)](line), CALL_LIMIT_S)
            await line.close()
            del caller, callee, line  # what is left of the last call is not held here
        assert not any(engine.stats().running for engine in engines), "a device still runs after the last call"
        assert not camera.is_running, "the camera still runs after the last call"
    finally:
        for engine in engines:
            engine.stop()
    return _left(before, after, each(rounds, len(ENDINGS)))


async def _settled_counts(rest_s: float, expected: dict[str, float]) -> dict[str, float]:
    """The counts, once the last call is over: on a busy machine that is when there is no more than expected."""
    await asyncio.sleep(rest_s)
    give_up = time.monotonic() + SETTLE_S
    while expected and time.monotonic() < give_up:
        counts = _counts()
        if all(counts[name] <= expected[name] for name in ("fds", "threads", "tasks")):
            break
        await asyncio.sleep(0.5)
    return _counts()


async def measure_door(calls: int, warm_up: int) -> dict[str, float]:
    """What `calls` calls of a whole door leave behind."""
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    rounds: list[Held] = []
    async with door_calls() as end_next:
        for number in range(warm_up + calls + 1):
            if number >= warm_up and (number - warm_up) % len(DOOR_ENDINGS) == 0:
                after = await _settled_counts(3.0, before)  # the camera lingers, and the space forgets
                before = before or after
                rounds.append(held())
            if number < warm_up + calls:
                await asyncio.wait_for(end_next(number), 30)
    return _left(before, after, each(rounds, len(DOOR_ENDINGS)))


def _left(before: dict[str, float], after: dict[str, float], of_a_call: Held) -> dict[str, float]:
    return {
        "leaked_fds": after["fds"] - before["fds"],
        "leaked_threads": after["threads"] - before["threads"],
        "leaked_tasks": after["tasks"] - before["tasks"],
        "kept_bytes_per_call": round(of_a_call.bytes),
        "kept_objects_per_call": round(of_a_call.blocks, 1),
        "rss_growth_mb": round(after["rss_mb"] - before["rss_mb"], 1),
    }


async def run() -> Report:
    """Measure it over all endings, of the media alone and of a whole door."""
    media = await measure(CALLS)
    door = await measure_door(DOOR_CALLS, DOOR_WARM_UP_CALLS)
    zero = {"leaked_fds": 0.0, "leaked_threads": 0.0, "leaked_tasks": 0.0, "rss_growth_mb": 5.0}
    zero |= {"kept_bytes_per_call": KEPT_BYTES, "kept_objects_per_call": KEPT_OBJECTS}
    of_a_door = {"kept_objects_per_call": DOOR_KEPT_OBJECTS}
    return Report(
        "call-leaks",
        media | {f"door_{name}": value for name, value in door.items()},
        targets=zero | {f"door_{name}": value for name, value in (zero | of_a_door).items()},
        notes=(
            f"{CALLS} calls of the media after {WARM_UP_CALLS} that warm up, {len(ENDINGS)} ways to end, both ends "
            f"here: {', '.join(ending.__name__.replace('_', ' ') for ending in ENDINGS)}.",
            f"door: {DOOR_CALLS} calls of a whole door, a space and a resident in one process after "
            f"{DOOR_WARM_UP_CALLS}, {len(DOOR_ENDINGS)} ways: "
            f"{', '.join(ending.__name__.replace('_', ' ') for ending in DOOR_ENDINGS)}. What they remember of facts, "
            "events and rings is short here, and full by then.",
            "kept_bytes_per_call, kept_objects_per_call: what malloc and Python have given out and not got back, after "
            "all garbage was collected; the median of the rounds, each of which ends in every way once. The memory of "
            "the process grows by more until some 300 calls are over, and then no more: freed memory lies between what "
            "is in use. So rss_growth_mb is what is left when it was returned to the system, as a door does after each "
            "call.",
        ),
    )
