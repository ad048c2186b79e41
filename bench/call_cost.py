"""What a call costs the door: processor and memory, idle, with sound alone, and with sound, canceller and picture.

The door runs in a process of its own and measures itself; the far end, stock aiortc, in another. The picture comes
from a camera whose own encoder costs nothing, as a Pi's does.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from bench.report import Report
from bench.video_cost import Film, HardwareSource
from intercom.config import AudioConfig
from intercom.media.camera_encoder import VideoFormat
from intercom.media.camera_shared import Camera
from intercom.media.echo import open_canceller
from intercom.media.engine import AudioEngine
from intercom.media.h264 import AccessUnit
from intercom.media.peer import DoorMedia
from intercom.media.simulated import SimulatedCards

VIDEO = VideoFormat(1280, 720, 25, 1_500_000)
SETTLE_S = 3.0
MEASURED_S = 15.0


class ReadyFilm(Film):
    """The encoded pictures alone: the raw ones would count as the door's memory."""

    def __init__(self, units: list[AccessUnit]) -> None:  # the film was made elsewhere
        self.units = units
        self.frames = []


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


async def measured() -> tuple[float, float]:
    """Core-seconds a second, and memory in MB."""
    await asyncio.sleep(SETTLE_S)
    cpu_s, began = time.process_time(), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    return round((time.process_time() - cpu_s) / (time.monotonic() - began), 4), rss_mb()


async def _drain(track: MediaStreamTrack) -> None:
    while True:
        await track.recv()


def far_end(line: Connection) -> None:
    """Answer, talk, listen and watch until told to stop."""

    async def answer() -> None:
        house = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        house.addTrack(AudioStreamTrack())
        watching: list[asyncio.Task[None]] = []
        house.on("track", lambda track: watching.append(asyncio.ensure_future(_drain(track))))
        await house.setRemoteDescription(RTCSessionDescription(line.recv(), "offer"))
        await house.setLocalDescription(await house.createAnswer())
        line.send(house.localDescription.sdp)
        await asyncio.to_thread(line.recv)
        for task in watching:
            task.cancel()
        await house.close()

    asyncio.run(answer())


def door(result: Connection, line: Connection, case: str, units: list[AccessUnit]) -> None:
    """Our door, in one of the cases."""

    async def run() -> tuple[float, float]:
        canceller = open_canceller("webrtc") if case == "av" else None
        engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None, canceller=canceller)
        engine.start()
        camera = Camera(HardwareSource(ReadyFilm(units))) if case == "av" else None
        media = DoorMedia(engine, lambda: camera, on_event=lambda event: None)
        try:
            if case == "idle":
                return await measured()
            call = media.open("bench", [])
            line.send(await call.create_offer())
            await call.accept_answer(await asyncio.to_thread(line.recv))
            figures = await measured()
            arrived = call.stats().far_end
            assert arrived is not None, "the far end was not heard"
            assert arrived.received > 100, "the far end was not heard"
            await call.close()
            return figures
        finally:
            engine.stop()

    result.send(asyncio.run(run()))


def stock_door(result: Connection, line: Connection, case: str, units: list[AccessUnit]) -> None:
    """The same with stock aiortc: its own encoder and jitter buffer, sound alone."""

    async def run() -> tuple[float, float]:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(AudioStreamTrack())
        listening: list[asyncio.Task[None]] = []
        connection.on("track", lambda track: listening.append(asyncio.ensure_future(_drain(track))))
        await connection.setLocalDescription(await connection.createOffer())
        line.send(connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(await asyncio.to_thread(line.recv), "answer"))
        figures = await measured()
        for task in listening:
            task.cancel()
        await connection.close()
        return figures

    result.send(asyncio.run(run()))


def in_processes(case: str, units: list[AccessUnit]) -> tuple[float, float]:
    """Run one case, each end in its own process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    result, door_result = context.Pipe()
    house = context.Process(target=far_end, args=(theirs,), daemon=True)
    side = context.Process(
        target=stock_door if case == "stock" else door, args=(door_result, ours, case, units), daemon=True
    )
    if case != "idle":
        house.start()
    side.start()
    if not result.poll(SETTLE_S + MEASURED_S + 30):
        raise TimeoutError(f"the door did not finish its {case} call")
    figures: tuple[float, float] = result.recv()
    side.join(10)
    if case != "idle":
        ours.send("stop")
        house.join(10)
    return figures


async def run() -> Report:
    """Measure the cases one after another."""
    units = (await asyncio.to_thread(Film, VIDEO)).units
    results = {case: await asyncio.to_thread(in_processes, case, units) for case in ("idle", "audio", "av", "stock")}
    return Report(
        "call-cost",
        {
            "idle_cpu_percent": round(results["idle"][0] * 100, 2),
            "idle_rss_mb": results["idle"][1],
            "audio_cpu": results["audio"][0],
            "audio_rss_mb": results["audio"][1],
            "av_cpu": results["av"][0],
            "av_rss_mb": results["av"][1],
        },
        targets={"idle_cpu_percent": 0.3, "idle_rss_mb": 75, "av_cpu": 0.09, "av_rss_mb": 115},
        baselines={"aiortc_audio_cpu": results["stock"][0], "aiortc_audio_rss_mb": results["stock"][1]},
        notes=("av: sound both ways, echo canceller, 720p25 H.264 passed through. cpu in core-seconds a second.",),
    )
