"""What the picture of a call costs: passed through, encoded in software, and as stock aiortc would send it."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from av.video.frame import VideoFrame

from bench.report import Report, percentile
from intercom.media.camera.encoder import VIDEO_TIME_BASE, SoftwareEncoder, VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.source import Deliver, VideoClock
from intercom.media.camera.test_pattern import PatternSource, TestPattern
from intercom.media.codec.h264 import AccessUnit
from intercom.media.video.sender import prefer_h264
from tests.media.video.attached import attach_camera

VIDEO = VideoFormat(1280, 720, 25, 1_500_000)
MEASURED_S = 10.0
SETTLE_S = 1.0
FILM_S = 4
NOISE = 6  # steps of brightness: the sensor noise of a cheap camera, and what makes the encoder use its bits
SNAPSHOTS = 20
BLOCK_S = 0.010  # the sound thread's period


class Film:
    """The same few seconds of noisy pictures for everybody, raw and as a hardware encoder would deliver them."""

    def __init__(self, video: VideoFormat) -> None:
        pattern, noise = TestPattern(video.width, video.height), np.random.default_rng(1)
        encoder = SoftwareEncoder(video)
        self.frames: list[VideoFrame] = []
        self.units: list[AccessUnit] = []
        encoding_s = 0.0
        for index in range(FILM_S * video.frame_rate):
            moment = datetime.fromtimestamp(index / video.frame_rate)
            picture = pattern.draw(moment).to_ndarray(format="yuv420p")
            grain = noise.integers(-NOISE, NOISE + 1, picture.shape)
            noisy = np.clip(picture + grain, 16, 235).astype(np.uint8)
            self.frames.append(VideoFrame.from_ndarray(noisy, format="yuv420p"))
            begun_s = time.thread_time()
            self.units.append(encoder.encode(VideoFrame.from_ndarray(noisy, format="yuv420p"), index * 3600))
            encoding_s += time.thread_time() - begun_s
        self.encoding_cpu = round(encoding_s / FILM_S, 4)


class HardwareSource:
    """A camera whose own encoder costs us nothing."""

    name = "hardware"
    description = f"{VIDEO}, encoded elsewhere"
    bitrate_bps = VIDEO.bitrate_bps
    processor_share = None

    def __init__(self, units: Sequence[AccessUnit]) -> None:
        self._units = units
        self._times = VideoClock()
        self.pictures = 0

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        due = time.monotonic()
        while not stopping.wait(max(0.0, due - time.monotonic())):
            unit = self._units[self.pictures % len(self._units)]
            deliver(AccessUnit(unit.data, self._times.pts(), unit.keyframe))
            self.pictures += 1
            due += 1 / VIDEO.frame_rate

    def request_keyframe(self) -> None:
        """The next one comes with the film."""

    def set_bitrate(self, bitrate_bps: int) -> None:
        """The film is what it is."""

    def snapshot(self) -> bytes:
        raise OSError("a film gives no stills")


class RawTrack(VideoStreamTrack):
    """The film as pictures that aiortc has to encode."""

    def __init__(self, film: Film) -> None:
        super().__init__()
        self._frames = film.frames
        self.pictures = 0
        self._begun_s = time.monotonic()

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._begun_s + self.pictures / VIDEO.frame_rate - time.monotonic()))
        frame = self._frames[self.pictures % len(self._frames)]
        frame.pts, frame.time_base = self.pictures * 3600, VIDEO_TIME_BASE
        self.pictures += 1
        return frame


def _far_end(line: Connection) -> None:
    """Run the far end in a process of its own: it answers and receives until told to stop."""

    async def answer() -> None:
        house = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        await house.setRemoteDescription(RTCSessionDescription(line.recv(), "offer"))
        await house.setLocalDescription(await house.createAnswer())
        line.send(house.localDescription.sdp)
        await asyncio.to_thread(line.recv)
        await house.close()

    asyncio.run(answer())


@asynccontextmanager
async def _call(prepare: Callable[[RTCRtpTransceiver], Any]) -> AsyncIterator[None]:
    context = multiprocessing.get_context("spawn")
    line, theirs = context.Pipe()
    process = context.Process(target=_far_end, args=(theirs,), daemon=True)
    process.start()
    door = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    prepare(door.addTransceiver("video", direction="sendonly"))
    await door.setLocalDescription(await door.createOffer())
    line.send(door.localDescription.sdp)
    await door.setRemoteDescription(RTCSessionDescription(await asyncio.to_thread(line.recv), "answer"))
    while door.connectionState != "connected":
        await asyncio.sleep(0.01)
    await asyncio.sleep(SETTLE_S)
    try:
        yield
    finally:
        line.send("stop")
        await door.close()
        await asyncio.to_thread(process.join)


async def _cpu(sender: HardwareSource | RawTrack) -> float:
    """Return core-seconds per second of film; counted by picture, so that a busy machine does not look cheap."""
    cpu_s, pictures = time.process_time(), sender.pictures
    await asyncio.sleep(MEASURED_S)
    return round((time.process_time() - cpu_s) / (sender.pictures - pictures) * VIDEO.frame_rate, 4)


async def _passthrough_cpu(film: Film) -> float:
    source = HardwareSource(film.units)
    camera = Camera(source)
    async with _call(lambda transceiver: attach_camera(transceiver, camera, on_event=lambda event: None)):
        return await _cpu(source)


async def _stock_cpu(film: Film) -> float:
    track = RawTrack(film)

    def prepare(transceiver: RTCRtpTransceiver) -> None:
        prefer_h264(transceiver)
        transceiver.sender.replaceTrack(track)

    async with _call(prepare):
        return await _cpu(track)


async def _sound_late_ms() -> float:
    """Return how late a thread of 10 ms blocks wakes, 99th percentile."""
    late_ms: list[float] = []
    stopping = threading.Event()

    def sound() -> None:
        due = time.perf_counter() + BLOCK_S
        while not stopping.is_set():
            time.sleep(max(0.0, due - time.perf_counter()))
            late_ms.append((time.perf_counter() - due) * 1000)
            due = max(due, time.perf_counter() - BLOCK_S) + BLOCK_S

    thread = threading.Thread(target=sound)
    thread.start()
    await asyncio.sleep(MEASURED_S)
    stopping.set()
    await asyncio.to_thread(thread.join)
    return round(percentile(late_ms, 99), 2)


async def _still_ms(camera: Camera) -> float:
    begun_s = time.perf_counter()
    await camera.snapshot()
    return (time.perf_counter() - begun_s) * 1000


async def run() -> Report:
    """Measure each way of sending 1280x720 at 25 pictures a second, one after the other."""
    film, software = Film(VIDEO), VIDEO.for_software()
    alone_ms = await _sound_late_ms()
    camera = Camera(PatternSource(VIDEO))
    with camera.frames() as frames:
        await frames.next()
        beside_ms = await _sound_late_ms()
        stills_ms = [await _still_ms(camera) for _ in range(SNAPSHOTS)]
    return Report(
        "video-cost",
        figures={
            "passthrough_cpu": await _passthrough_cpu(film),
            "software_cpu": Film(software).encoding_cpu,
            "software_720p25_cpu": film.encoding_cpu,
            "sound_late_p99_ms": beside_ms,
            "snapshot_p95_ms": round(percentile(stills_ms, 95), 1),
        },
        targets={"passthrough_cpu": 0.06, "snapshot_p95_ms": 300},
        baselines={"aiortc_passthrough_cpu": await _stock_cpu(film), "alone_sound_late_p99_ms": alone_ms},
        notes=[
            "CPU in core-seconds per second.",
            f"passthrough_cpu: the whole sending side of a call, {VIDEO}, encoded by the camera; "
            "aiortc: the same film, encoded by aiortc.",
            f"software_cpu: encoding alone, as a machine without an encoder does it: {software}; "
            "software_720p25_cpu: if it did not lower its sights.",
            "sound_late_p99_ms: a thread of 10 ms blocks beside 1280x720 at 25 in software; alone: beside nothing.",
        ],
    )
