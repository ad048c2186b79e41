"""How the costs grow: the space with its subscribers, a camera with its viewers, a house with its doors, a list with
its rows. Curves, not points: each cost stands beside its neighbour's, and what bends upwards is marked.

The clients are light ones in a process of their own, so that the space's figures are the space's. `…_per_day` is
extrapolated from what the kernel counted in some idle seconds: a token that is renewed each hour, or a list that is
tidied each day, is not in it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench._counted import rss_mb
from bench._scale_doors import doors
from bench._scale_logs import call_log, visitors
from bench._scale_space import IDLE_S, curves, subscribers
from bench._watchers import watchers
from bench.curve import Curve
from bench.plot import Plot
from bench.report import Report
from bench.video_cost import VIDEO, Film, HardwareSource
from intercom.media.camera.shared import Camera
from intercom.media.viewers.viewers import MOST_VIEWERS, Viewers

VIEWERS = (0, 1, 2, 4, MOST_VIEWERS)
SETTLE_S = 2.0
MEASURED_S = 4.0
DRAWN = (
    ("subscribers", "rss_mb", "The space's memory"),
    ("subscribers", "ring_last_ms", "Until the last of all rings"),
    ("viewers", "cpu_core", "A camera's viewers, 1280x720 at 25 frames a second"),
    ("doors", "space_rss_mb", "The space's memory beside the doors of a house"),
)


async def run() -> Report:
    """Measure all curves, one after another."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        (directory / "house").mkdir()
        found = [
            *await subscribers(directory),
            *await _viewers(),
            *await doors(directory / "house"),
            *await asyncio.to_thread(call_log, directory),
            *await asyncio.to_thread(visitors, directory),
        ]
    return report(found)


def report(found: Sequence[Curve]) -> Report:
    """Return the report of these curves: how many points are worse than linear, and which."""
    worse = [
        f"`{curve.cost}` at {curve.sizes[at]:,.0f} {curve.over}"
        for curve in found
        for at in range(len(curve.sizes))
        if curve.is_worse_than_linear(at)
    ]
    notes = [
        "In brackets: the cost over its neighbour's. Linear is the ratio of the sizes, and a quarter more is allowed.",
        "ring: a door rings everybody with an offer of 8 kB, and one answers: until the first and the last has the "
        "invite, until all others are silent; frames and sent_mb to all pages together. rung_rss_mb: afterwards.",
        "steps: SQLite's instructions. start_ms, start_cpu_ms: of the door that comes last.",
        "bench_rss_mb: of the bench's own process, which has the camera and its film. door_rss_mb: of the door that "
        "comes last, which has not rung yet.",
        f"per_day: extrapolated from {IDLE_S:.0f} s in which the kernel counted; what comes once an hour or once a day "
        "is not in it. wire: what TCP carries, without its own heads. written: to a disk.",
    ]
    notes += [f"Worse than linear: {', '.join(worse)}."] if worse else []
    return Report(
        "scale",
        {"worse_than_linear": len(worse)},
        {"worse_than_linear": 0},
        notes=notes,
        curves=found,
        plots=_plots(found),
    )


def _plots(found: Sequence[Curve]) -> list[Plot]:
    known = {(curve.over, curve.cost): curve for curve in found}
    drawn = [(known[over, cost], title) for over, cost, title in DRAWN if (over, cost) in known]
    return [
        Plot(
            f"{curve.over}-{curve.cost.replace('_', '-')}",
            title,
            curve.over,
            curve.cost,
            {curve.over: list(zip(curve.sizes, curve.values, strict=True))},
        )
        for curve, title in drawn
    ]


async def _viewers() -> list[Curve]:
    """Measure this process with so many viewers, who watch from another."""
    film = await asyncio.to_thread(Film, VIDEO)
    await _watched(film, 1)  # it loads what every viewer needs
    return curves("viewers", VIEWERS, [await _watched(film, count) for count in VIEWERS])


async def _watched(film: Film, count: int) -> dict[str, float]:
    camera = Camera(HardwareSource(film.units))
    viewers = Viewers(camera)
    numbers = itertools.count()

    async def admit(offer: str) -> str:
        return await viewers.admit(str(next(numbers)), offer, [])

    try:
        async with watchers(count, admit):
            await asyncio.sleep(SETTLE_S)
            began, cpu, sent = time.monotonic(), time.process_time(), viewers.pictures_sent
            await asyncio.sleep(MEASURED_S)
            took_s = time.monotonic() - began
            return {
                "cpu_core": round((time.process_time() - cpu) / took_s, 4),
                "bench_rss_mb": round(rss_mb(os.getpid()), 1),
                "pictures_per_s": round((viewers.pictures_sent - sent) / took_s, 1),
            }
    finally:
        await viewers.stop()
        await asyncio.to_thread(camera.stop)
