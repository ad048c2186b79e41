"""What a call costs the door: processor and memory, idle, with sound alone, and with sound, canceller and picture.

The door is the whole appliance, `intercom run`, registered at a space in another process, on a simulated sound card;
the resident, stock aiortc, dials it from a third. The picture comes from a camera whose own encoder costs nothing, as
a Pi's does. Beside it, in the same run: stock aiortc and libwebrtc in calls of their own, with less around them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pickle
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from aiortc.mediastreams import MediaStreamTrack

from bench._door_process import RUN, DoorProcess, door_process
from bench._space_process import space_process
from bench._stock_cost import Figures, stock_call, voice
from bench._system_calls import Calls, count
from bench.report import CannotRunError, Report
from bench.video_cost import VIDEO, Film
from intercom.media.rtp.hooks import know_telephone_events
from intercom.signalwire import AiortcMedia, SignalWire, SpaceCredentials

SETTLE_S = 4.0
"""Loading what calls need, connecting, and the first keyframe are over."""
MEASURED_S = 15.0


async def measure_here() -> Figures:
    """Core-seconds a second, and memory in MB, of the process that this runs in."""
    await asyncio.sleep(SETTLE_S)
    cpu_s, began = time.process_time(), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (
        round((time.process_time() - cpu_s) / (time.monotonic() - began), 4),
        round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
    )


async def measure(door: DoorProcess) -> Figures:
    """The same of the door."""
    await asyncio.sleep(SETTLE_S)
    cpu_s, began = door.cpu_s(), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    return round((door.cpu_s() - cpu_s) / (time.monotonic() - began), 4), door.rss_mb()


async def _take(track: MediaStreamTrack, frames: Counter[str]) -> None:
    while True:
        await track.recv()
        frames[track.kind] += 1


@asynccontextmanager
async def call(credential: Path, *, video: bool) -> AsyncIterator[None]:
    """The resident calls the door, talks, listens and watches."""
    media = AiortcMedia(audio=voice)
    watching: list[asyncio.Task[None]] = []
    frames: Counter[str] = Counter()
    media.tracks_stream.subscribe(lambda arrived: watching.append(asyncio.ensure_future(_take(arrived[1], frames))))
    async with SignalWire(SpaceCredentials(credential), media=media) as client:
        await client.register()
        dialled = await client.dial("/private/door", receive_video=video)
        async with asyncio.timeout(10):
            while len(watching) < 1 + video:
                await asyncio.sleep(0.05)
        yield
        assert frames["audio"] > 25 * MEASURED_S, f"the door was hardly heard: {frames}"
        assert not video or frames["video"] > 10 * MEASURED_S, f"the door was hardly seen: {frames}"
        await dialled.hangup()
        for task in watching:
            task.cancel()


@dataclass(frozen=True)
class Costs:
    """Of the door."""

    idle: Figures
    audio: Figures
    plain_audio: Figures
    av: Figures
    idle_calls: Calls
    av_calls: Calls


async def _door(directory: Path, film: Film) -> Costs:
    recorded = directory / "film"
    recorded.write_bytes(pickle.dumps(film.units))
    async with space_process(directory):
        door, resident = directory / "door.json", directory / "resident.json"
        async with door_process(directory / "a", door) as process:
            idle = await measure(process)
            idle_calls = await count(process.pid)
            async with call(resident, video=False):
                audio = await measure(process)
        async with door_process(directory / "b", door, canceller="none") as process, call(resident, video=False):
            plain = await measure(process)
        run = ("-m", "bench._film_door", str(recorded), RUN[-1])
        async with door_process(directory / "c", door, run=run) as process, call(resident, video=True):
            picture = await measure(process)
            picture_calls = await count(process.pid)
    return Costs(idle, audio, plain, picture, idle_calls, picture_calls)


def _raw(film: Film, file: Path) -> Path:
    """A second of the film as pictures that somebody else has to encode; 35 MB."""
    np.save(file, np.stack([frame.to_ndarray(format="yuv420p") for frame in film.frames[: VIDEO.frame_rate]]))
    return file


async def run() -> Report:
    """Measure the cases one after another; CannotRunError where libwebrtc is missing."""
    if importlib.util.find_spec("webrtc") is None:  # asked now: it is imported late, in another process
        raise CannotRunError("there is no Python package webrtc: `./setup.sh --bench`")
    know_telephone_events()  # as every browser does; without them the door listens for keys in the sound itself
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        film = await asyncio.to_thread(Film, VIDEO)
        raw = _raw(film, directory / "film.npy")
        ours = await _door(directory, film)
        del film
        aiortc = await asyncio.to_thread(stock_call, measure_here, "none")
        x264 = await asyncio.to_thread(stock_call, measure_here, "H264", raw)
        vp8 = await asyncio.to_thread(stock_call, measure_here, "VP8", raw)
        libwebrtc = await asyncio.to_thread(stock_call, measure_here, "libwebrtc")
    return Report(
        "call-cost",
        {
            "idle_cpu_percent": round(ours.idle[0] * 100, 3),
            "idle_rss_mb": ours.idle[1],
            "audio_cpu": ours.audio[0],
            "audio_rss_mb": ours.audio[1],
            "plain_audio_cpu": ours.plain_audio[0],
            "av_cpu": ours.av[0],
            "av_rss_mb": ours.av[1],
            "idle_syscalls": ours.idle_calls.syscalls,
            "idle_wakeups": ours.idle_calls.wakeups,
            "av_syscalls": ours.av_calls.syscalls,
            "av_wakeups": ours.av_calls.wakeups,
        },
        targets={
            "idle_cpu_percent": 0.05,
            "idle_rss_mb": 75,
            "av_cpu": 0.09,
            "av_rss_mb": 115,
            "av_syscalls": 400,
        },
        baselines={
            "aiortc_plain_audio_cpu": aiortc[0],
            "aiortc_audio_rss_mb": aiortc[1],
            "aiortc_x264_av_cpu": x264[0],
            "aiortc_x264_av_rss_mb": x264[1],
            "aiortc_vp8_av_cpu": vp8[0],
            "aiortc_vp8_av_rss_mb": vp8[1],
            "libwebrtc_plain_audio_cpu": libwebrtc[0],
            "libwebrtc_audio_rss_mb": libwebrtc[1],
        },
        notes=(
            "The door: `intercom run`, whole, registered. cpu in core-seconds a second.",
            "audio: sound both ways and the echo canceller; plain_audio: without the canceller, as the others.",
            "av: audio and 720p25 H.264 from the camera's encoder, passed through; the others encode it.",
            "aiortc: MediaPlayer, MediaRecorder, its own jitter buffer and encoders; 35 MB are the raw pictures it "
            "encodes. libwebrtc: the package wrtc. "
            "Neither has a sound card, a canceller, a service or a state machine around it.",
            ours.av_calls.note("av_syscalls"),
            "wakeups: times a second that a thread of the door waited and was woken.",
        ),
    )
