"""What a call costs the door: processor and memory, idle, with sound alone, and with sound, canceller and picture.

The door is the whole appliance, `intercom run`, registered at a space in another process, on a simulated sound card;
the resident, stock aiortc, dials it from a third. The picture comes from a camera whose own encoder costs nothing, as
a Pi's does. Beside it, in the same run: stock aiortc and libwebrtc in calls of their own, with less around them.

The machine's speed drifts while this runs, so what is told beside libwebrtc is measured by turns, in several rounds:
the ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pickle
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
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
ROUNDS, TURN_S = 5, 5.0
"""Rounds of the cases that are measured by turns, and the time that each is measured in a round."""
BESIDE = "libwebrtc"
"""The case that the others are told beside."""


async def measure_here() -> Figures:
    """Core-seconds a second, and memory in MB, of the process that this runs in."""
    await asyncio.sleep(SETTLE_S)
    cpu_s, began = time.process_time(), time.monotonic()
    await asyncio.sleep(TURN_S)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return (
        round((time.process_time() - cpu_s) / (time.monotonic() - began), 4),
        round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
    )


async def measure(door: DoorProcess, seconds: float = MEASURED_S) -> Figures:
    """The same of the door."""
    await asyncio.sleep(SETTLE_S)
    cpu_s, began = door.cpu_s(), time.monotonic()
    await asyncio.sleep(seconds)
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
        began = time.monotonic()
        yield
        passed_s = time.monotonic() - began
        assert frames["audio"] > 25 * passed_s, f"the door was hardly heard: {frames}"
        assert not video or frames["video"] > 5 * passed_s, f"the door was hardly seen: {frames}"
        await dialled.hangup()
        for task in watching:
            task.cancel()


Measured = dict[str, list[Figures]]
"""Of each case what was measured in each round."""


async def by_turns(cases: dict[str, Callable[[], Awaitable[Figures]]], rounds: int = ROUNDS) -> Measured:
    """Measure the cases one after another in each round, in every other round the last first."""
    measured: Measured = {name: [] for name in cases}
    for number in range(rounds):
        for name in reversed(cases) if number % 2 else cases:
            measured[name].append(await cases[name]())
    return measured


def beside(measured: Measured, case: str) -> list[float]:
    """The case's processor time over that of `BESIDE`, round by round."""
    return [round(ours[0] / theirs[0], 2) for ours, theirs in zip(measured[case], measured[BESIDE], strict=True)]


def middle(figures: list[Figures]) -> Figures:
    """The median of the processor times; the memory of the first, as a call after another finds more in memory."""
    return round(statistics.median(each[0] for each in figures), 4), figures[0][1]


@dataclass(frozen=True)
class Costs:
    """Of the door, and of libwebrtc."""

    idle: Figures
    by_turns: Measured
    idle_calls: Calls
    av_calls: Calls


@dataclass(frozen=True)
class Door:
    """A door that is registered at a space of its own."""

    process: DoorProcess
    resident: Path
    """The credential of who calls it."""
    video: bool = False

    async def in_a_call(self) -> Figures:
        """What a call costs it."""
        async with call(self.resident, video=self.video):
            return await measure(self.process, TURN_S)


async def _door(directory: Path, film: Film) -> Costs:
    recorded = directory / "film"
    recorded.write_bytes(pickle.dumps(film.units))
    filmed = ("-m", "bench._film_door", str(recorded), RUN[-1])
    async with AsyncExitStack() as stack:

        async def door(name: str, *, video: bool = False, canceller: str = "webrtc") -> Door:
            space = directory / name
            space.mkdir()
            await stack.enter_async_context(space_process(space))
            run = filmed if video else RUN
            starting = door_process(space / "door", space / "door.json", run=run, canceller=canceller)
            return Door(await stack.enter_async_context(starting), space / "resident.json", video)

        audio = await door("audio")
        idle = await measure(audio.process)
        idle_calls = await count(audio.process.pid)
        plain, av = await door("plain", canceller="none"), await door("av", video=True)
        measured = await by_turns(
            {
                "audio": audio.in_a_call,
                BESIDE: lambda: asyncio.to_thread(stock_call, measure_here, BESIDE),
                "av": av.in_a_call,
                "plain": plain.in_a_call,
            }
        )
        async with call(av.resident, video=True):
            await asyncio.sleep(SETTLE_S)
            av_calls = await count(av.process.pid)
    return Costs(idle, measured, idle_calls, av_calls)


def _raw(film: Film, file: Path) -> Path:
    """A second of the film as pictures that somebody else has to encode; 35 MB."""
    np.save(file, np.stack([frame.to_ndarray(format="yuv420p") for frame in film.frames[: VIDEO.frame_rate]]))
    return file


async def run() -> Report:
    """Measure all cases; CannotRunError where libwebrtc is missing."""
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
    audio, plain, av, libwebrtc = (middle(ours.by_turns[case]) for case in ("audio", "plain", "av", BESIDE))
    ratios = {case: beside(ours.by_turns, case) for case in ("av", "audio", "plain")}
    return Report(
        "call-cost",
        {
            "idle_cpu_percent": round(ours.idle[0] * 100, 3),
            "idle_rss_mb": ours.idle[1],
            "audio_cpu": audio[0],
            "audio_rss_mb": audio[1],
            "plain_audio_cpu": plain[0],
            "av_cpu": av[0],
            "av_rss_mb": av[1],
            **{f"{case}_beside_{BESIDE}": round(statistics.median(each), 2) for case, each in ratios.items()},
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
            f"av_beside_{BESIDE}": 0.7,
            f"audio_beside_{BESIDE}": 0.55,
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
            f"audio, plain_audio, av and {BESIDE}: the median of {ROUNDS} rounds of {TURN_S:.0f} s each, by turns. "
            f"beside_{BESIDE}: the median of the rounds' ratios to its sound alone, which were "
            + "; ".join(f"{case} {', '.join(map(str, sorted(each)))}" for case, each in ratios.items())
            + ".",
            ours.av_calls.note("av_syscalls"),
            "wakeups: times a second that a thread of the door waited and was woken.",
        ),
    )
