"""Made-up rooms around a door station, by the image source method (pyroomacoustics): what its microphone hears.

The box hangs on a wall: the speaker 15 cm below the microphone, the visitor's mouth 60 cm in front of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyroomacoustics
import soxr

from intercom.media.sound.format import RATE_HZ, Samples, level_db, ratio, to_samples

Impulse = npt.NDArray[np.float64]

MICROPHONE_NOISE_DB = -76.0
"""Of a good electret behind a USB converter."""


@dataclass(frozen=True)
class Place:
    """Where the door is: a box of air, and how much its surfaces swallow."""

    size_m: tuple[float, float, float]
    absorption: float
    reflections: int
    """Of the image sources, enough for the sound to have died away by 40 dB."""


PORCH = Place((2.0, 1.6, 2.6), 0.4, 17)
"""Brick and wood: a reverberation of 0.1 s."""
STAIRWELL = Place((3.0, 4.0, 6.0), 0.12, 30)
"""Plaster and tiles: 0.6 s."""
OPEN = Place((6.0, 6.0, 6.0), 0.99, 1)
"""The street: nearly the direct path alone."""


@lru_cache
def impulses(place: Place) -> tuple[Impulse, Impulse]:
    """From the speaker and from the visitor's mouth to the microphone, at 48 kHz; the direct path is not delayed."""
    wide, _, _ = place.size_m
    room = pyroomacoustics.ShoeBox(
        place.size_m,
        fs=RATE_HZ,
        materials=pyroomacoustics.Material(place.absorption),
        max_order=place.reflections,
    )
    room.add_source([wide / 2, 0.06, 1.30])
    room.add_source([wide / 2 + 0.1, 0.66, 1.55])
    room.add_microphone([wide / 2, 0.05, 1.45])
    room.compute_rir()
    speaker, mouth = (np.asarray(impulse) for impulse in room.rir[0])
    return _from_direct(speaker), _from_direct(mouth)


def _from_direct(impulse: Impulse) -> Impulse:
    at = int(np.argmax(np.abs(impulse)))
    return impulse[max(0, at - 20) :]


@dataclass(frozen=True)
class Box:
    """What lies between what the speaker is told to play and what the microphone gives."""

    place: Place = PORCH
    echo_db: float = -3.0
    """The microphone against what was played: what `intercom audio test` aims at."""
    delay_s: float = 0.06
    """Of the card and its driver."""
    drift_ppm: float = 0.0
    """How much faster the microphone's clock runs."""
    distorted: bool = False
    """Whether the speaker is driven into its limits (about 15 % THD at speech peaks)."""


def echo_of(box: Box, far: Samples) -> npt.NDArray[np.float32]:
    """What the microphone hears of the speaker, float of S16 scale, as long as `far`."""
    source = far.astype(np.float64)
    if box.distorted:
        source = np.tanh(source / 6000) * 6000
    heard = _convolved(source, impulses(box.place)[0])
    heard *= ratio(box.echo_db + level_db(far) - level_db(to_samples(heard.astype(np.float32))))
    if box.drift_ppm:
        heard = soxr.resample(heard, RATE_HZ, RATE_HZ * (1 + box.drift_ppm / 1e6))
    late = np.concatenate([np.zeros(int(box.delay_s * RATE_HZ)), heard])
    return np.resize(late, len(far)).astype(np.float32) if len(late) >= len(far) else _padded(late, len(far))


def visitor_of(box: Box, near: Samples) -> npt.NDArray[np.float32]:
    """What the microphone hears of the visitor, at the level of `near`."""
    heard = _convolved(near.astype(np.float64), impulses(box.place)[1])
    heard *= ratio(level_db(near) - level_db(to_samples(heard.astype(np.float32))))
    return heard.astype(np.float32)


def noise(length: int, seed: int = 1) -> npt.NDArray[np.float32]:
    """What the microphone hears when nobody speaks."""
    scale = ratio(MICROPHONE_NOISE_DB) * 32767
    sound: Impulse = np.random.default_rng(seed).standard_normal(length) * scale
    return sound.astype(np.float32)


def _convolved(sound: Impulse, impulse: Impulse) -> Impulse:
    size = 1 << (len(sound) + len(impulse)).bit_length()
    heard: Impulse = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(impulse, size), size)[: len(sound)]
    return heard


def _padded(sound: Impulse, length: int) -> npt.NDArray[np.float32]:
    padded: Impulse = np.concatenate([sound, np.zeros(length - len(sound))])
    return padded.astype(np.float32)
