"""What each further viewer of the camera costs: 1280x720 at 25 frames a second, passed through to peers elsewhere."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection

from bench.report import Report
from bench.video_cost import VIDEO, Film, HardwareSource
from intercom.media.camera.shared import Camera
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ
from intercom.media.rtp.hooks import take_packets
from intercom.media.viewers.viewers import Viewers
from tests.media.viewers.far_end import FarEnd

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
    ours, theirs = multiprocessing.Pipe()
    watching = multiprocessing.get_context("spawn").Process(target=_watch, args=(theirs, count), daemon=True)
    watching.start()
    camera = Camera(HardwareSource(film.units))
    viewers = Viewers(camera)
    try:
        for number in range(count):
            offer = await asyncio.to_thread(ours.recv)
            ours.send(await viewers.admit(str(number), offer, []))
        await asyncio.to_thread(ours.recv)
        await asyncio.sleep(SETTLE_S)
        begun, cpu, sent = time.monotonic(), time.process_time(), viewers.pictures_sent
        await asyncio.sleep(MEASURED_S)
        elapsed_s = time.monotonic() - begun
        return (time.process_time() - cpu) / elapsed_s, (viewers.pictures_sent - sent) / elapsed_s / count
    finally:
        watching.terminate()
        await viewers.stop()
        await asyncio.to_thread(camera.stop)


def _watch(pipe: Connection, count: int) -> None:
    """Be so many viewers, until killed."""

    async def watch() -> None:
        far_ends = [FarEnd("video/H264") for _ in range(count)]
        for far_end in far_ends:  # to decode five pictures would keep the machine from what is measured
            take_packets(far_end.track, lambda packet: None, lambda payload_type: VIDEO_CLOCK_HZ)
        for far_end in far_ends:
            pipe.send(await far_end.offer())
            await far_end.accept(await asyncio.to_thread(pipe.recv))
        pipe.send("all are connected")
        await asyncio.Event().wait()

    asyncio.run(watch())
