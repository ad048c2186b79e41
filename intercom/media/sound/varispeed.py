"""Plays sound slightly faster or slower, where two clocks differ or a delay is to change; otherwise it costs a copy.

soxr's variable stream holds sound back, and filters all of it also where nothing is to be changed. Here each output
sample is a short windowed sinc over the input around its place; at speed 1 and on a sample's place that is the sample
itself, which is copied. It runs in C where that is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from intercom.media.native import module
from intercom.media.sound.format import Samples, to_samples

TAPS, PHASES = 24, 256
"""Length of the playout's filter in samples, by half of which it delays, and the places between two samples that have a
filter of their own: few enough for the cache, too many to be heard."""
REFERENCE_TAPS, REFERENCE_PHASES = 16, 512
"""The same of the canceller's reference: the nearest place is off by 1/1000 of a sample, -60 dB at 8 kHz of 48."""
KAISER_BETA = 6.0
"""Shape of the Kaiser window: 60 dB of stop band (Kaiser 1974)."""
WHOLE = 1e-6
"""Distance at which two places are one: they are added up in floating point."""

Wave = npt.NDArray[np.float32]
At = Callable[[Samples, float, float, int], Samples]


@cache
def kernels(taps: int, phases: int) -> Wave:
    """Return the filter of each phase, whose sum is 1; phase 0 is the sample itself."""
    at = np.arange(taps) - (taps // 2 - 1) - np.arange(phases + 1).reshape(-1, 1) / phases
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(0.0, 1 - (at / (taps / 2)) ** 2))) / np.i0(KAISER_BETA)
    response = np.sinc(at) * window
    return np.asarray(response / response.sum(axis=1, keepdims=True), np.float32)


def _in_numpy(taps: int, phases: int) -> At:
    """Return what gives so many samples of what is heard at a speed, from a place on."""
    filters = kernels(taps, phases)

    def at(heard: Samples, ahead: float, speed: float, count: int) -> Samples:
        places = ahead + speed * np.arange(count)
        first = places.astype(np.int64)
        phase = np.rint((places - first) * phases).astype(np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(heard.astype(np.float32), taps)[first]
        return to_samples(np.einsum("ij,ij->i", windows, filters[phase]))

    return at


def _compiled(taps: int, phases: int) -> At:
    """Return what does the same, to one bit, in C."""
    from intercom.media.native import _native

    filters = kernels(taps, phases).reshape(-1)

    def at(heard: Samples, ahead: float, speed: float, count: int) -> Samples:
        played: Samples = np.empty(count, np.int16)
        _native.varispeed(heard, filters, taps, ahead, speed, played)
        return played

    return at


class Varispeed:
    """One stream of sound whose speed may change with every piece of it, late by half of its filter."""

    def __init__(self, taps: int = TAPS, phases: int = PHASES) -> None:
        """Begin with silence before; the filters are of 16 or 24 `taps`."""
        self._at = (_compiled if module.is_there() else _in_numpy)(taps, phases)
        self._taps = taps
        self.clear()

    def clear(self) -> None:
        """Begin anew, with silence before."""
        self._past: Samples = np.zeros(self._taps - 1, np.int16)
        self._ahead = 0.0
        """Place of the next output sample, in input samples from the first one that a filter can have in its middle."""

    def run(self, sound: Samples, speed: float) -> Samples:
        """Return the sound at `speed`, 1 = unchanged: what then follows the first piece is copied."""
        if not len(sound):
            return sound
        heard = np.concatenate([self._past, sound])
        self._past = heard[len(sound) :]
        length = len(sound)
        if speed == 1.0:
            if self._ahead == 0.0:
                begin = self._taps // 2 - 1
                return heard[begin : begin + length]
            speed, count = self._to_a_sample(length)
        else:
            count = max(0, math.ceil((length - self._ahead) / speed - WHOLE))
        played = self._at(heard, self._ahead, speed, count)
        self._ahead = self._ahead + speed * count - length
        if abs(self._ahead - round(self._ahead)) < 2 * WHOLE:
            self._ahead = float(round(self._ahead))
        return played

    def _to_a_sample(self, length: int) -> tuple[float, int]:
        """Return the speed nearest to 1 that ends on the first sample of the next piece, and the samples it gives."""
        count = max(1, round(length - self._ahead))
        return (length - self._ahead) / count, count
