"""How the space's costs grow with the subscribers that are registered with it."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench._counted import counts, rss_mb, settled_rss_mb
from bench._light_clients import Crowd, crowd
from bench._space_process import SpaceProcess, space_process
from bench.curve import Curve
from bench.report import percentile

SIZES = (50, 200, 700, 2000)
CALLS = 60
RINGS = 3
IDLE_S = 21.0
"""Window in which what is idle is watched: in each, each client is asked once for a sign, and pinged three times."""


async def subscribers(directory: Path) -> list[Curve]:
    """Measure a space of each size, each in a process of its own."""
    points = [await _of(directory / str(size), size) for size in SIZES]
    return curves("subscribers", SIZES, points)


def curves(over: str, sizes: Sequence[float], points: Sequence[Mapping[str, float]]) -> list[Curve]:
    """Return a curve for each cost that was measured at all sizes."""
    return [Curve(over, cost, sizes, [point[cost] for point in points]) for cost in points[0]]


async def _of(directory: Path, size: int) -> dict[str, float]:
    directory.mkdir()
    async with space_process(directory, residents=size) as space, crowd(space) as clients:
        empty_mb, before = await settled_rss_mb(space.pid), counts(space.pid)
        await clients.do("join", size)
        join_cpu_ms = (counts(space.pid).cpu_s - before.cpu_s) / size * 1000
        idle = await _idle(space)
        registered_mb = rss_mb(space.pid)
        invites = [await clients.do("call") for _ in range(CALLS)]
        return {
            "rss_mb": round(registered_mb, 1),
            "each_kb": round((registered_mb - empty_mb) * 1000 / size, 1),
            "join_cpu_ms": round(join_cpu_ms, 2),
            "invite_p50_ms": round(statistics.median(invites), 2),
            "invite_p95_ms": round(percentile(invites, 95), 2),
            **await _rings(space, clients),
            "rung_rss_mb": round(rss_mb(space.pid), 1),
            "database_kb": round((directory / "space.sqlite3").stat().st_size / 1e3),
            **{f"idle_{name}": value for name, value in idle.items()},
        }


async def _rings(space: SpaceProcess, clients: Crowd) -> dict[str, float]:
    """Return what it takes to ring everybody, one of whom answers: the median of some."""
    rings = []
    for _ in range(RINGS):
        before = counts(space.pid)
        ring = await clients.do("ring")
        rings.append({**ring, "cpu_ms": (counts(space.pid).cpu_s - before.cpu_s) * 1000})
    return {f"ring_{name}": round(statistics.median(ring[name] for ring in rings), 2) for name in rings[0]}


async def _idle(space: SpaceProcess) -> dict[str, float]:
    port = urlsplit(space.url).port
    before = counts(space.pid, port)
    await asyncio.sleep(IDLE_S)
    return counts(space.pid, port).a_day(before, IDLE_S)
