"""How the costs of a house grow with its doors: each a process of its own, all at one space."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from bench._counted import counts, rss_mb
from bench._door_process import DoorProcess, door_process
from bench._light_clients import Crowd, crowd
from bench._scale_space import IDLE_S, curves
from bench._space_process import SpaceProcess, space_process
from bench.curve import Curve
from bench.report import percentile
from intercom.control.client import Client
from intercom.control.place import NAME

SIZES = (1, 2, 5, 10, 20)
RINGS = 10
SETTLE_S = 3.0
"""Pause after a start: a door that is registered loads what a call needs."""
READY_S = 60.0


async def doors(directory: Path) -> list[Curve]:
    """Start doors one after another, and measure the house at each size."""
    points = []
    async with (
        space_process(directory, residents=1, doors=SIZES[-1]) as space,
        crowd(space) as clients,
        AsyncExitStack() as stack,
    ):
        await clients.do("join", 1)
        started: list[tuple[DoorProcess, Path]] = []
        for size in SIZES:
            while len(started) < size:
                name = f"door-{len(started) + 1}"
                home = directory / name
                door = await stack.enter_async_context(door_process(home, directory / f"{name}.json"))
                start_cpu_s = door.cpu_s()
                started.append((door, home / NAME))
            idle = await _idle(space, [door for door, _ in started])
            points.append(
                {
                    "start_ms": round(started[-1][0].registered_ms, 1),
                    "start_cpu_ms": round(start_cpu_s * 1000),
                    "door_rss_mb": round(rss_mb(started[-1][0].pid), 1),
                    "space_rss_mb": round(rss_mb(space.pid), 1),
                    **idle,
                    **await _rings(clients, [control for _, control in started]),
                }
            )
    return curves("doors", SIZES, points)


async def _rings(clients: Crowd, controls: list[Path]) -> dict[str, float]:
    """Let one door after another ring the resident, who declines; return how long the invites took."""
    took = []
    for number in range(RINGS):
        control = controls[number % len(controls)]
        began = time.time()
        await asyncio.to_thread(_ask, control, "call")
        took.append((await clients.do("rung") - began) * 1000)
        await asyncio.to_thread(_until_idle, control)
    return {"ring_p50_ms": round(statistics.median(took), 2), "ring_p95_ms": round(percentile(took, 95), 2)}


def _ask(control: Path, method: str) -> dict[str, object]:
    with Client(control) as client:
        answer: dict[str, object] = client.ask(method)
        return answer


def _until_idle(control: Path) -> None:
    give_up = time.monotonic() + READY_S
    while _ask(control, "status")["state"] != "idle":
        if time.monotonic() > give_up:
            raise TimeoutError(f"the door of {control} is not idle again")
        time.sleep(0.05)


async def _idle(space: SpaceProcess, started: list[DoorProcess]) -> dict[str, float]:
    """Return a day of one door, and the space's."""
    port = urlsplit(space.url).port
    processes = [door.pid for door in started]
    await asyncio.sleep(SETTLE_S)
    before, space_before = [counts(pid, port) for pid in processes], counts(space.pid, port)
    await asyncio.sleep(IDLE_S)
    after, space_after = [counts(pid, port) for pid in processes], counts(space.pid, port)
    days = [now.a_day(then, IDLE_S) for now, then in zip(after, before, strict=True)]
    door = {f"door_idle_{name}": round(statistics.mean(day[name] for day in days), 2) for name in days[0]}
    return door | {f"space_idle_{name}": value for name, value in space_after.a_day(space_before, IDLE_S).items()}
