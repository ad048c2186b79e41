"""Mouth to ear in simulated time: the same engine, codec, jitter buffer and cards, with no machine in between.

What it shows is the design's own delay, free of how busy the machine is; `mouth-to-ear` shows both. The network takes
2 ms; losses and delays are drawn by seed. Half an hour with clocks that differ takes half a minute.
"""

from __future__ import annotations

import heapq
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from bench._hearing import Hearing, delay_ms, recording, score
from bench._late import Late
from bench._paced import BenchCards, talk
from bench._relay import NAMES, SCENES, Impair
from bench.plot import Plot
from bench.report import Report, percentile
from intercom.media.codec.interface import FRAME_BLOCKS
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.rtp.call_stats import audio_bitrate_bps, mean_loss
from intercom.media.rtp.playout import Playout, PlayoutStats
from intercom.media.rtp.redundancy import Redundancy, unpack
from intercom.media.sound.ends import Canceller, FarEnd, NearEnd
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples

NETWORK_S = 0.002
SETTLE_S = 3.0
SCENE_S = 30.0
SEEDS = range(1, 6)
"""Each scene is run once with each: a single packet more or less is 0.07 % of one run."""
AFTER_S = 10.0
TARGET_MS = 80.0
WAKING_S = 0.0001
"""A thread wakes a little late, and never early."""
FRAME_SAMPLES = FRAME_BLOCKS * BLOCK_SAMPLES
RED_TYPE, OPUS_TYPE = 63, 96
REPORT_PACKETS = 250
"""A browser reports every five seconds, and redundancy follows as in a call."""
LOOK_EVERY_S, LOOK_BACK_S = 5.0, 2.0
"""How often the delay is looked at while clocks drift, and in how much of what was heard."""
DRIFT_S = 1800.0
DRIFT_PPM = {"minus150": (-150, 0), "minus50": (-50, 0), "plus50": (50, 0), "plus150": (150, 0), "card": (0, -100)}
"""How much faster than our clock the far end's is, and the speaker's."""
DRIFT_GROWTH_MS = 2.0
"""Uncorrected, 150 ppm are 270 ms in half an hour."""


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Quiet:
    """A side that says nothing and does not listen."""

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        return SILENCE

    def push(self, block: Samples, now: float) -> None:
        """Not kept."""


@dataclass
class Wire:
    """Packets under way to a playout."""

    clock: Clock
    playout: Playout = field(default_factory=lambda: Playout(OpusDecoder()))
    impair: Impair | None = None
    under_way: list[tuple[float, int, bytes]] = field(default_factory=list)
    sent: int = 0
    redundancy: Redundancy = field(default_factory=lambda: Redundancy(RED_TYPE, OPUS_TYPE))
    lost: int = 0
    far_loss: float = 0.0

    def send(self, payload: bytes, at: float) -> None:
        data = self.redundancy.pack(self.sent * FRAME_SAMPLES, payload)
        late_s = self.impair() if self.impair is not None else 0.0
        if late_s is None:
            self.lost += 1
        else:
            heapq.heappush(self.under_way, (at + NETWORK_S + late_s, self.sent, data))
        self.sent += 1
        if self.sent % REPORT_PACKETS == 0:
            loss, self.lost = self.lost / REPORT_PACKETS, 0
            self.far_loss = mean_loss(self.far_loss, loss)
            self.redundancy.reported(loss, self.far_loss)

    def deliver(self) -> None:
        while self.under_way and self.under_way[0][0] <= self.clock.now:
            _, number, data = heapq.heappop(self.under_way)
            *earlier, own = unpack(data)
            timestamp = number * FRAME_SAMPLES % 2**32
            self.playout.put(number % 2**16, timestamp, own.payload, self.clock.now, earlier)

    def due(self) -> float:
        return self.under_way[0][0] if self.under_way else float("inf")


class Mouth:
    """The near end: its encoder before the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._encoder = OpusEncoder()
        self._encoder.adapt(bitrate_bps=audio_bitrate_bps(0.0, repeated=True), loss_percent=0)
        self._captured: list[Samples] = []

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        return SILENCE

    def push(self, block: Samples, now: float) -> None:
        self._captured.append(block)
        if len(self._captured) == FRAME_BLOCKS:
            self._wire.send(self._encoder.encode(np.concatenate(self._captured)), self._wire.clock.now)
            self._captured.clear()


class Served:
    """An engine whose thread is this one."""

    def __init__(
        self, cards: BenchCards, clock: Clock, far: FarEnd, near: NearEnd, canceller: Canceller | None = None
    ) -> None:
        self._clock = clock
        self._engine = AudioEngine(cards, on_event=lambda event: None, canceller=canceller, clock=clock)
        self._engine.connect(far, near)
        self.due = 0.0

    def serve(self) -> None:
        if self._clock.now >= self.due:
            self.due = self._clock.now + (self._engine._serve(self._clock.now) or BLOCK_SAMPLES / RATE_HZ) + WAKING_S


@dataclass(frozen=True)
class Heard:
    """One phase."""

    delays: list[tuple[float, float | None]]
    """Since its begin in s, delay in ms."""
    slow_until_s: float
    lost_percent: float
    score: float

    @property
    def p95_ms(self) -> float:
        return round(percentile([delay for _, delay in self.delays if delay is not None], 95), 1)


def listen(scenes: list[tuple[str, float]], seed: int = 1) -> list[Heard]:
    """Run both ends through some scenes, each for so long; the first is only to settle and is not judged."""
    clock = Clock()
    mouth, ear = BenchCards(clock), BenchCards(clock)
    wire = Wire(clock)
    # The ear's own microphone is not listened to, nor is its canceller.
    engines = [
        Served(mouth, clock, Quiet(), Mouth(wire), Late()),
        Served(ear, clock, wire.playout, Quiet()),
    ]
    ends: list[tuple[float, float, PlayoutStats, PlayoutStats]] = []
    for name, seconds in scenes:
        wire.impair = SCENES[name](seed) if name in SCENES else None
        begin, before = clock.now, wire.playout.stats()
        while clock.now < begin + seconds:
            clock.now = max(clock.now + 1e-4, min(wire.due(), *(engine.due for engine in engines)))
            wire.deliver()
            for engine in engines:
                engine.serve()
        ends.append((begin, clock.now, before, wire.playout.stats()))
    hearing = Hearing(mouth, ear)
    return [_judge(hearing, *end) for end in ends[1:]]


def _judge(hearing: Hearing, begin: float, end: float, before: PlayoutStats, after: PlayoutStats) -> Heard:
    words = hearing.words(begin, end)
    delays = [some.delay_ms for some in words if some.delay_ms is not None]
    lost_s = after.lost_s - before.lost_s
    pair = hearing.pair(begin, end - 1.0, statistics.median(delays))
    return Heard(
        delays=[(some.at - begin, some.delay_ms) for some in words],
        slow_until_s=max((w.at - begin for w in words if w.delay_ms is None or w.delay_ms > TARGET_MS), default=0.0),
        lost_percent=round(100 * lost_s / (lost_s + after.played_s - before.played_s), 2),
        score=round(score(pair), 2),
    )


def drift(seconds: float, far_ppm: float, card_ppm: float, voice: Samples) -> list[tuple[float, float | None]]:
    """The delay over time, in s and ms, with a far end and a card whose clocks are so much faster than ours.

    The far end says `voice` over and over.
    """
    clock = Clock()
    ear = BenchCards(clock, card_ppm, voice)
    wire = Wire(clock)
    engine = Served(ear, clock, wire.playout, Quiet())
    encoder = OpusEncoder()
    frames = [voice[at : at + FRAME_SAMPLES] for at in range(0, len(voice) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]
    voice = np.concatenate(frames)
    packets = [encoder.encode(frame) for frame in frames]
    far_hz = RATE_HZ * (1 + far_ppm / 1e6)
    begin = clock.now
    look_at = begin + LOOK_EVERY_S
    delays: list[tuple[float, float | None]] = []
    while clock.now < begin + seconds:
        spoken_at = begin + (wire.sent + 1) * FRAME_SAMPLES / far_hz
        clock.now = max(clock.now + 1e-4, min(spoken_at, wire.due(), engine.due))
        if spoken_at <= clock.now:
            wire.send(packets[wire.sent % len(packets)], spoken_at)
        wire.deliver()
        engine.serve()
        if clock.now >= look_at:
            since = look_at - LOOK_BACK_S
            said = np.resize(np.roll(voice, -int((since - begin) * far_hz)), int(LOOK_BACK_S * RATE_HZ))
            delays.append((since - begin, delay_ms(said, recording(ear.speaker.heard, since, LOOK_BACK_S))))
            ear.speaker.heard.clear()
            look_at += LOOK_EVERY_S
    return delays


def run_scene(name: str, seed: int) -> list[Heard]:
    """A scene and the time after it; by name, for another process."""
    if name == "clean":
        return listen([("settle", SETTLE_S), ("clean", 2 * SCENE_S)])
    return listen([("settle", SETTLE_S), (name, SCENE_S), ("after", AFTER_S)], seed)


def run_drift(name: str) -> list[tuple[float, float | None]]:
    """Half an hour of it; by name, for another process."""
    return drift(DRIFT_S, *DRIFT_PPM[name], talk())


async def run() -> Report:
    """Measure a clean network, every impairment with the time after it, and half an hour of drift."""
    figures: dict[str, float] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        drifting = [processes.submit(run_drift, name) for name in DRIFT_PPM]
        clean = processes.submit(run_scene, "clean", 1)
        runs = {name: [processes.submit(run_scene, name, seed) for seed in SEEDS] for name in SCENES}
        scenes = {name: [run.result() for run in of_one] for name, of_one in runs.items()}
        drifts = {name: delays.result() for name, delays in zip(DRIFT_PPM, drifting, strict=True)}
    figures |= _clean_figures(clean.result()[0])
    for name, of_one in scenes.items():
        figures |= _scene_figures(name, of_one)
    for name, delays in drifts.items():
        figures |= _drift_figures(name, delays)
    return Report(
        "mouth-to-ear-simulated",
        figures,
        targets={
            "p95_ms": 60,
            "drift_ms_per_min": 0.5,
            "loss2_p95_ms": 80,
            "loss2_lost_percent": 0.05,
            "loss2_recovered_after_s": 5,
            "loss5_lost_percent": 0.3,
            "burst_lost_percent": 0.8,
            "jitter80_p95_ms": 130,
        }
        | {f"drift30_{name}_p95_ms": TARGET_MS for name in DRIFT_PPM}
        | {f"drift30_{name}_growth_ms": DRIFT_GROWTH_MS for name in DRIFT_PPM},
        plots=[_scenes_plot({name: of_one[0] for name, of_one in scenes.items()}), _drift_plot(drifts)],
        notes=(
            "Simulated time, 2 ms of network, recorded speech without pauses, with the delay of the echo canceller, 15 "
            "ms. Each scene lasts 30 s, then the network is clean for 10 s; it is run five times, each with other "
            "chances. Lost: never reached the ear, neither by its own packet nor by a later one, which holds it again "
            "for a far end that knows redundant audio; its reports of loss come every 5 s. Score: mean opinion score "
            "of ViSQOL in speech mode, 1 to 5.",
            "drift30: half an hour with a far end (the speaker: card) whose clock is so many ppm off, from "
            "its encoder on; growth is the mean delay of the last five minutes less that of the first five.",
        ),
    )


def _clean_figures(clean: Heard) -> dict[str, float]:
    delays = [delay for _, delay in clean.delays if delay is not None]
    times = [at for at, delay in clean.delays if delay is not None]
    return {
        "p50_ms": round(statistics.median(delays), 1),
        "p95_ms": clean.p95_ms,
        "drift_ms_per_min": round(float(np.polyfit(times, delays, 1)[0]) * 60, 2),
        "score": clean.score,
    }


def _scene_figures(name: str, runs: list[list[Heard]]) -> dict[str, float]:
    during, after = zip(*runs, strict=True)
    delays = [delay for run in during for _, delay in run.delays if delay is not None]
    return {
        f"{name}_p95_ms": round(percentile(delays, 95), 1),
        f"{name}_lost_percent": round(statistics.mean(run.lost_percent for run in during), 3),
        f"{name}_recovered_after_s": round(max(run.slow_until_s for run in after), 1),
        f"{name}_score": round(statistics.mean(run.score for run in during), 2),
    }


def _drift_figures(name: str, delays: list[tuple[float, float | None]]) -> dict[str, float]:
    heard = [delay for _, delay in delays if delay is not None]
    five_minutes = int(300 / LOOK_EVERY_S)
    return {
        f"drift30_{name}_p95_ms": round(percentile(heard, 95), 1),
        f"drift30_{name}_growth_ms": round(
            statistics.mean(heard[-five_minutes:]) - statistics.mean(heard[:five_minutes]), 2
        ),
    }


def _scenes_plot(scenes: dict[str, list[Heard]]) -> Plot:
    line: list[tuple[float, float | None]] = []
    bands: list[tuple[float, float, str]] = []
    begin = 0.0
    for name in SCENES:
        bands.append((begin, begin + SCENE_S, NAMES[name]))
        for phase, seconds in zip(scenes[name], (SCENE_S, AFTER_S), strict=True):
            line += [(begin + at, delay) for at, delay in phase.delays]
            begin += seconds
    return Plot("scenes", "Mouth to ear, simulated", "time, s", "delay, ms", {"intercom": line}, TARGET_MS, bands)


def _drift_plot(drifts: dict[str, list[tuple[float, float | None]]]) -> Plot:
    lines = {
        (f"{far:+d} ppm" if far else f"speaker {card:+d} ppm"): [(at / 60, ms) for at, ms in drifts[name]]
        for name, (far, card) in DRIFT_PPM.items()
    }
    return Plot("drift", "Half an hour with a far end whose clock differs", "time, min", "delay, ms", lines, TARGET_MS)
