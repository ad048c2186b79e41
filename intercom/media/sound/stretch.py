"""Plays sound slightly faster or slower, where two clocks differ or a delay is to shrink; otherwise it costs a copy.

What does not change passes untouched, and nearly all sound does: a stream of soxr's that could change its speed
filters all of it, all the time.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from intercom.media.sound.format import Samples, to_samples

REACH = 8
"""Samples on each side of the point between them that is calculated; the sound is late by as many."""
STEPS = 512
"""Number of points between two samples: the nearest one is off by a thousandth of a sample, -60 dB at 8 kHz of 48."""
KAISER_BETA = 6.0
"""Shape of the Kaiser window: 60 dB of stop band (Kaiser 1974)."""
WHOLE = 1e-6
"""Distance from a whole sample below which the sound is there again, and passes untouched."""


Weights = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


@cache
def _points() -> Weights:
    """Return the weights of the `2 * REACH` samples around each point between two of them."""
    between = np.arange(STEPS + 1).reshape(-1, 1) / STEPS
    distance = np.arange(1 - REACH, REACH + 1) - between
    shape = np.sqrt(np.maximum(1 - (distance / REACH) ** 2, 0))
    weights = np.sinc(distance) * np.i0(KAISER_BETA * shape)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _plan(at: float, count: int, speed: float) -> tuple[Places, Weights]:
    """Return which samples each of `count` new ones is made of, and their weights."""
    points = at + np.arange(count) * speed
    whole = points.astype(np.intp)
    weights = _points().take(((points - whole) * STEPS + 0.5).astype(np.intp), axis=0)
    return whole[:, np.newaxis] + np.arange(1, 2 * REACH + 1), weights


class Stretcher:
    """Reads a stream of sound at a speed that may change with every block."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew, with silence before."""
        self._past: Samples = np.zeros(2 * REACH, np.int16)
        self._at = 0.0

    def run(self, sound: Samples, speed: float = 1.0) -> Samples:
        """Return the next sound, `speed` times as fast, `REACH` samples late."""
        length = len(sound)
        around = np.concatenate([self._past, sound])
        self._past = around[length:]
        if speed == 1.0 and not self._at:
            return around[REACH : REACH + length]
        count = math.ceil((length - self._at) / speed - WHOLE)
        places, weights = _plan(self._at, count, speed)
        left = self._at + count * speed - length
        self._at = 0.0 if abs(left) < 2 * WHOLE else left
        return to_samples(np.einsum("ij,ij->i", around.astype(np.float32).take(places), weights))
