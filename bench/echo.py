"""Echo: how much the canceller takes away in made-up rooms, how soon, and what is left of the visitor meanwhile.

The rooms are image-source-free: forty reflections of random delay that die away. The far end and the visitor are
synthetic speech (the packaged prompt, and the same at another pace).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import soxr

from bench.report import Report
from intercom.media.echo import EchoCanceller, HalfDuplex, open_canceller
from intercom.media.sound import BLOCK_SAMPLES, RATE_HZ, Samples, level_db, to_samples
from intercom.media.sound_file import load_sound

SECONDS = 20
CONVERGED_DB = 30.0


@dataclass(frozen=True)
class Room:
    """What the microphone hears of the speaker."""

    delay_s: float = 0.06
    level: float = 0.5
    drift_ppm: float = 0.0
    distorted: bool = False


ROOMS = {
    "": Room(),
    "delay20_": Room(delay_s=0.02),
    "delay300_": Room(delay_s=0.3),
    "drift50_": Room(drift_ppm=50),
    "loud_": Room(level=2.0),
    "distorted_": Room(distorted=True),
}


def speech(seconds: float, pace: float = 1.0) -> Samples:
    spoken = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    if pace != 1.0:
        spoken = soxr.resample(spoken, RATE_HZ, RATE_HZ / pace)
    return np.resize(spoken, int(seconds * RATE_HZ))


def heard_in(room: Room, far: Samples, seed: int = 1) -> Samples:
    chance = np.random.default_rng(seed)
    source = far.astype(np.float64)
    if room.distorted:
        source = np.tanh(source / 9000) * 9000
    if room.drift_ppm:
        source = np.resize(soxr.resample(source, RATE_HZ, RATE_HZ * (1 + room.drift_ppm / 1e6)), len(far))
    heard = chance.standard_normal(len(far)) * 3
    for _ in range(40):
        late_s = chance.exponential(0.03)
        shift = int((room.delay_s + late_s) * RATE_HZ)
        heard[shift:] += source[: len(far) - shift] * (room.level / 4 * np.exp(-late_s / 0.05) * chance.choice([-1, 1]))
    return to_samples(heard.astype(np.float32))


def through(canceller: EchoCanceller | HalfDuplex, far: Samples, microphone: Samples) -> Samples:
    cleaned = []
    for at in range(0, len(far) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        canceller.played(far[at : at + BLOCK_SAMPLES])
        cleaned.append(canceller.clean(microphone[at : at + BLOCK_SAMPLES]))
    return np.concatenate(cleaned)


def echo_loss_db(microphone: Samples, cleaned: Samples, begin_s: float, end_s: float) -> float:
    part = slice(int(begin_s * RATE_HZ), int(end_s * RATE_HZ))
    return level_db(microphone[part]) - level_db(cleaned[part])


def _open(name: str = "webrtc", *, half_duplex: bool = False) -> EchoCanceller | HalfDuplex:
    canceller = open_canceller(name, half_duplex=half_duplex)
    assert canceller is not None
    return canceller


async def run() -> Report:
    """Measure every room, then double talk with and without half duplex."""
    figures: dict[str, float] = {}
    far = speech(SECONDS)
    for name, room in ROOMS.items():
        microphone = heard_in(room, far)
        began = time.process_time()
        cleaned = through(_open(), far, microphone)
        if not name:
            figures["cpu"] = round((time.process_time() - began) / SECONDS, 4)
            seconds = (s for s in range(SECONDS - 1) if echo_loss_db(microphone, cleaned, s, s + 1) >= CONVERGED_DB)
            figures["converge_s"] = float(next(seconds, SECONDS))
        figures[f"{name}erle_db_min"] = round(echo_loss_db(microphone, cleaned, 2, SECONDS), 1)
    visitor = speech(SECONDS, pace=0.8) // 2
    room_alone = heard_in(Room(), far)
    both = to_samples(room_alone.astype(np.float32) + visitor)
    for name, half_duplex in (("double_talk_kept_db", False), ("double_talk_half_duplex_kept_db", True)):
        cleaned = through(_open(half_duplex=half_duplex), far, both)
        figures[name] = round(level_db(cleaned[4 * RATE_HZ :]) - level_db(visitor[4 * RATE_HZ :]), 1)
    return Report(
        "echo",
        figures,
        targets={"erle_db_min": 40, "converge_s": 2},
        notes=(
            "double_talk_kept_db: the visitor's level after the canceller while both speak, 0 = untouched.",
            "Rooms are synthetic; a speakerphone's own canceller, where there is one, comes first.",
        ),
    )
