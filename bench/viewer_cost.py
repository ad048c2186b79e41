"""What each further viewer of the camera costs: 1280x720 at 25 frames a second, passed through to peers elsewhere."""

from __future__ import annotations

import asyncio
import itertools
import time

from bench._watchers import watchers
from bench.report import Report
from bench.video_cost import VIDEO, Film, HardwareSource
from intercom.media.camera.shared import Camera
from intercom.media.viewers.viewers import Viewers

FEW, MANY = 1, 5
SETTLE_S = 2.0
MEASURED_S = 10.0


async def run() -> Report:
    """Measure the process with one viewer, and with five."""
    film = Film(VIDEO)
    cost, frames = {}, {}
    for count in (FEW, MANY):
        cost[count], frames[count] = await _cost(film, count)
    each = (cost[MANY] - cost[FEW]) / (MANY - FEW)
    figures = {"each_cpu": round(each, 4), "one_cpu": round(cost[FEW], 4), "five_cpu": round(cost[MANY], 4)}
    figures["five_frames_per_s"] = round(frames[MANY], 1)
    return Report("viewer-cost", figures, {"each_cpu": 0.015})


async def _cost(film: Film, count: int) -> tuple[float, float]:
    """Return the core-seconds a second of this process with so many viewers, and the frames a second sent to each."""
    camera = Camera(HardwareSource(film.units))
    viewers = Viewers(camera)
    numbers = itertools.count()

    async def admit(offer: str) -> str:
        return await viewers.admit(str(next(numbers)), offer, [])

    try:
        async with watchers(count, admit):
            await asyncio.sleep(SETTLE_S)
            begun, cpu, sent = time.monotonic(), time.process_time(), viewers.pictures_sent
            await asyncio.sleep(MEASURED_S)
            elapsed_s = time.monotonic() - begun
            return (time.process_time() - cpu) / elapsed_s, (viewers.pictures_sent - sent) / elapsed_s / count
    finally:
        await viewers.stop()
        await asyncio.to_thread(camera.stop)
