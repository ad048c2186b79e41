"""Mouth to ear in simulated time: the same engine, codec, jitter buffer and cards, with no machine in between.

What it shows is the design's own delay, free of how busy the machine is; `mouth-to-ear` shows both. The network takes
2 ms; losses and delays are drawn by seed.
"""

from __future__ import annotations

import heapq
import statistics
from dataclasses import dataclass, field

import numpy as np

from bench._paced import BenchCards, delays_ms
from bench.mouth_to_ear import SCENES, TARGET_MS, Impair
from bench.report import Report, percentile
from intercom.media.engine import AudioEngine
from intercom.media.opus import OpusDecoder, OpusEncoder
from intercom.media.playout import Playout
from intercom.media.sound import SILENCE, Samples

STEP_S = 0.001
NETWORK_S = 0.002
SETTLE_S = 3.0
SCENE_S = 30.0
AFTER_S = 10.0


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Quiet:
    """A side that says nothing and does not listen."""

    def pull(self, now: float) -> Samples:
        return SILENCE

    def push(self, block: Samples, now: float) -> None:
        """Not kept."""


@dataclass
class Network:
    """The near end's encoder, and packets under way to the far end's playout."""

    clock: Clock
    impair: Impair | None = None
    playout: Playout = field(default_factory=lambda: Playout(OpusDecoder()))
    encoder: OpusEncoder = field(default_factory=OpusEncoder)
    captured: list[Samples] = field(default_factory=list)
    under_way: list[tuple[float, int, bytes]] = field(default_factory=list)
    sent: int = 0

    def push(self, block: Samples, now: float) -> None:
        self.captured.append(block)
        if len(self.captured) < 2:
            return
        payload = self.encoder.encode(np.concatenate(self.captured))
        self.captured.clear()
        late_s = self.impair() if self.impair is not None else 0.0
        if late_s is not None:
            heapq.heappush(self.under_way, (now + NETWORK_S + late_s, self.sent, payload))
        self.sent += 1

    def deliver(self) -> None:
        while self.under_way and self.under_way[0][0] <= self.clock.now:
            _, number, payload = heapq.heappop(self.under_way)
            self.playout.put(number % 2**16, number * 960 % 2**32, payload, self.clock.now)


@dataclass(frozen=True)
class Heard:
    """One phase."""

    delays_ms: list[float]
    clicks_lost: int
    slow_until_s: float
    lost_percent: float


def listen(phases: list[tuple[Impair | None, float]]) -> list[Heard]:
    """Run both ends through the phases (what the network does, for how long)."""
    clock = Clock()
    mouth, ear = BenchCards(), BenchCards()
    for pcm in (mouth.microphone, mouth.speaker, ear.microphone, ear.speaker):
        pcm._clock = clock
    network = Network(clock)

    engines = [AudioEngine(cards, on_event=lambda event: None, clock=clock) for cards in (mouth, ear)]
    engines[0].connect(Quiet(), network)
    engines[1].connect(network.playout, Quiet())
    due = [0.0, 0.0]
    ends: list[tuple[float, float, float]] = []
    for impair, seconds in phases:
        network.impair = impair
        begin, before = clock.now, network.playout.stats().lost_s
        while clock.now < begin + seconds:
            clock.now += STEP_S
            network.deliver()
            for side, engine in enumerate(engines):
                if clock.now >= due[side]:
                    due[side] = clock.now + (engine._serve(clock.now) or 0.01)
        ends.append((begin, clock.now, network.playout.stats().lost_s - before))
    measured = delays_ms(mouth.microphone.clicks(clock.now - 0.6), ear.speaker.heard)
    return [_heard(measured, *end) for end in ends]


def _heard(measured: list[tuple[float, float | None]], begin: float, end: float, lost_s: float) -> Heard:
    inside = [(at - begin, delay) for at, delay in measured if begin <= at < end - 0.5]
    delays = [delay for _, delay in inside if delay is not None]
    slow = max((at for at, delay in inside if delay is None or delay > TARGET_MS), default=0.0)
    return Heard(delays, len(inside) - len(delays), slow, 100 * lost_s / (end - begin))


async def run() -> Report:
    """Measure a clean network, then every impairment and the time after it."""
    _, clean = listen([(None, SETTLE_S), (None, 2 * SCENE_S)])
    figures = {
        "p50_ms": round(statistics.median(clean.delays_ms), 1),
        "p95_ms": round(percentile(clean.delays_ms, 95), 1),
        "drift_ms_per_min": round(clean.delays_ms[-1] - clean.delays_ms[0], 2),
    }
    for name, impair in SCENES.items():
        _, during, after = listen([(None, SETTLE_S), (impair, SCENE_S), (None, AFTER_S)])
        figures[f"{name}_p95_ms"] = round(percentile(during.delays_ms, 95), 1)
        figures[f"{name}_lost_percent"] = round(during.lost_percent, 2)
        figures[f"{name}_recovered_after_s"] = round(after.slow_until_s, 1)
    return Report(
        "mouth-to-ear-simulated",
        figures,
        targets={
            "p95_ms": TARGET_MS,
            "drift_ms_per_min": 0.5,
            "loss2_p95_ms": 120,
            "loss2_lost_percent": 0.2,
            "loss2_recovered_after_s": 5,
        },
        notes=("Simulated time, 2 ms of network. Lost: not received and not in the next packet's redundancy.",),
    )
