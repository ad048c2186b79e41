"""Mouth to ear: from the sample that a microphone captures to its sounding at the far speaker, beside two peers.

Both ends run in this process on paced cards, so both PCM buffers count; what real hardware adds (a converter's filter,
a USB frame or two: 2 to 5 ms an end) does not. Somebody speaks without a pause. The packets go over UDP through a relay
in a process of its own, which loses and delays them by seed: the same for us, for stock aiortc and for libwebrtc.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench._hearing import LONGEST_S, Hearing, Words, score
from bench._late import Late
from bench._paced import BenchCards
from bench._peers import aiortc_call, libwebrtc_call
from bench._relay import NAMES, SCENES, Relay
from bench._settled import settled
from bench.plot import Plot, Points
from bench.report import Report, percentile
from intercom.media.rtp.peer import DoorMedia
from intercom.media.rtp.playout import PlayoutStats
from intercom.media.sound.engine import AudioEngine

SETTLE_S = 4.0
RECOVERY_S = 7.0
TARGET_MS = 80.0
OURS = {"clean": 20.0, "loss1": 10.0, "loss2": 20.0, "loss5": 12.0, "burst": 12.0, "jitter80": 12.0}
"""How long each scene lasts, in s; a clean time follows each."""
PEERS = {"clean": 15.0, "loss2": 15.0, "loss5": 12.0, "burst": 12.0, "jitter80": 12.0}

System = Callable[[BenchCards, BenchCards, Relay], contextlib.AbstractAsyncContextManager[object]]


@dataclass(frozen=True)
class Period:
    """A stretch of a run."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True)
class Measured:
    """One scene, and the clean time after it."""

    words: list[Words]
    after: list[Words]
    score: float

    @property
    def p95_ms(self) -> float:
        """Of what was heard; nan when nothing was."""
        heard = [some.delay_ms for some in self.words if some.delay_ms is not None]
        return round(percentile(heard, 95), 1) if heard else float("nan")

    @property
    def recovered_after_s(self) -> float:
        """When the last late word after the scene was said: the very last if it never recovered, nan without words."""
        if not self.after:
            return float("nan")
        begin = self.after[0].at
        slow = [some.at - begin for some in self.after if some.delay_ms is None or some.delay_ms > TARGET_MS]
        return round(max(slow, default=0.0), 1)

    @property
    def unheard_percent(self) -> float:
        """Of the words, how many had nothing like them at the ear within 600 ms."""
        return round(100 * sum(some.delay_ms is None for some in self.words) / max(1, len(self.words)), 2)


def nobody_watches(engine: AudioEngine) -> contextlib.AbstractAsyncContextManager[None]:
    """What else goes on at the mouth's engine: nothing."""
    return contextlib.nullcontext()


@contextlib.asynccontextmanager
async def our_call(
    mouth: BenchCards,
    ear: BenchCards,
    relay: Relay,
    stats: list[PlayoutStats],
    beside: Callable[[AudioEngine], contextlib.AbstractAsyncContextManager[None]] = nobody_watches,
) -> AsyncIterator[Callable[[], None]]:
    """A call of the door's own media from one card to the other; what it gives appends to `stats`."""
    engines = [AudioEngine(cards, on_event=lambda event: None, canceller=Late()) for cards in (mouth, ear)]
    for engine in engines:
        engine.start()
    caller = DoorMedia(engines[0], on_event=lambda event: None).open("mouth", [])
    callee = DoorMedia(engines[1], on_event=lambda event: None).open("ear", [])

    def note() -> None:
        heard = callee.stats().far_end
        if heard is not None:
            stats.append(heard)

    try:
        answer = await callee.create_answer(relay.offer(await caller.create_offer()))
        await caller.accept_answer(relay.answer(answer))
        async with beside(engines[0]):
            yield note
    finally:
        await asyncio.gather(caller.close(), callee.close())
        for engine in engines:
            engine.stop()


async def measure(system: System, plan: dict[str, float]) -> dict[str, Measured]:
    """One call through the scenes of a plan."""
    mouth, ear = BenchCards(), BenchCards()
    periods: list[Period] = []
    with settled(), Relay() as relay:  # before the call: the collection stops its threads, too
        async with system(mouth, ear, relay) as note:
            await asyncio.sleep(SETTLE_S)
            for name, seconds in plan.items():
                for part, lasts_s in (name, seconds), (f"after {name}", RECOVERY_S):
                    if callable(note):
                        note()
                    relay.scene(part)
                    began = time.monotonic()
                    await asyncio.sleep(lasts_s)
                    periods.append(Period(part, began, time.monotonic()))
            if callable(note):
                note()
    hearing = await asyncio.to_thread(Hearing, mouth, ear)
    return {
        scene.name: await asyncio.to_thread(_judge, hearing, scene, after)
        for scene, after in zip(periods[::2], periods[1::2], strict=True)
    }


def _judge(hearing: Hearing, scene: Period, after: Period) -> Measured:
    words = hearing.words(scene.begin, scene.end)
    heard = [some.delay_ms for some in words if some.delay_ms is not None]
    pair = hearing.pair(scene.begin, scene.end, statistics.median(heard) if heard else 0.0)
    judged = round(score(pair), 2)
    return Measured(words, hearing.words(after.begin, after.end), judged)


def _figures(name: str, measured: Measured) -> dict[str, float]:
    prefix = "" if name == "clean" else f"{name}_"
    figures = {f"{prefix}p95_ms": measured.p95_ms, f"{prefix}score": measured.score}
    if name != "clean":
        figures[f"{prefix}recovered_after_s"] = measured.recovered_after_s
        figures[f"{prefix}unheard_percent"] = measured.unheard_percent
    return figures


def _our_figures(measured: dict[str, Measured], stats: list[PlayoutStats]) -> dict[str, float]:
    clean = [(some.at, some.delay_ms) for some in measured["clean"].words if some.delay_ms is not None]
    times, delays = zip(*clean, strict=True)
    figures: dict[str, float] = {"p50_ms": round(statistics.median(delays), 1)}
    for number, (name, scene) in enumerate(measured.items()):
        before, after = stats[2 * number], stats[2 * number + 1]
        lost_s, played_s = after.lost_s - before.lost_s, after.played_s - before.played_s
        figures |= _figures(name, scene)
        if name == "clean":
            figures["drift_ms_per_min"] = round(float(np.polyfit(times, delays, 1)[0]) * 60, 2)
        else:
            figures[f"{name}_lost_percent"] = round(100 * lost_s / (lost_s + played_s), 2)
    return figures


def _plot(systems: dict[str, dict[str, Measured]]) -> Plot:
    """The delay through the scenes that all have, one scene beside the other."""
    lines: dict[str, list[tuple[float, float | None]]] = {who: [] for who in systems}
    bands, begin = [], 0.0
    for name, seconds in PEERS.items():
        if name in SCENES:
            bands.append((begin, begin + seconds, NAMES[name]))
        for who, measured in systems.items():
            scene = measured[name]
            for words, shift in (scene.words, 0.0), (scene.after, seconds):
                first = words[0].at if words else 0.0
                lines[who] += [
                    (begin + shift + some.at - first, some.delay_ms) for some in words if some.at - first < seconds
                ]
        begin += seconds + RECOVERY_S
    points: dict[str, Points] = dict(lines)
    return Plot("scenes", "Mouth to ear through losses and jitter", "time, s", "delay, ms", points, TARGET_MS, bands)


async def run() -> Report:
    """Measure ourselves, then stock aiortc and libwebrtc on the same cards and the same losses."""
    stats: list[PlayoutStats] = []
    systems = {"intercom": await measure(partial(our_call, stats=stats), OURS)}
    peers: dict[str, System] = {"aiortc": aiortc_call, "libwebrtc": libwebrtc_call}
    for who, system in peers.items():
        systems[who] = await measure(system, PEERS)
    baselines = {
        f"{who}_{figure}": value
        for who in peers
        for name, measured in systems[who].items()
        for figure, value in _figures(name, measured).items()
    }
    return Report(
        "mouth-to-ear",
        _our_figures(systems["intercom"], stats),
        targets={
            "p95_ms": TARGET_MS,
            "drift_ms_per_min": 0.5,
            "loss2_p95_ms": 120,
            "loss2_lost_percent": 0.2,
            "loss2_recovered_after_s": 5,
        },
        baselines=baselines,
        plots=[_plot(systems)],
        notes=(
            "Paced cards: real converters and USB add 2 to 5 ms at each end. Ours includes the delay of its echo "
            "canceller, 15 ms, but not what that does to the sound; the peers have none. "
            "Recorded speech without pauses, losses and delays by seed at the packets, the same for all three.",
            "Lost: sound that never reached the ear, neither by its own packet nor by the next one's redundancy. "
            f"Unheard: words with nothing like them at the ear within {LONGEST_S * 1000:.0f} ms. Score: mean opinion "
            "score of ViSQOL in speech mode, 1 to 5. Recovered: the last word later than 80 ms after the scene; "
            f"{RECOVERY_S - LONGEST_S:.1f} s is all that is looked at.",
        ),
    )
