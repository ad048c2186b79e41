"""Plays sound slightly faster or slower, a quarter of a millisecond late, and for nothing at its own speed.

soxr's variable stream holds sound back, and filters all of it also where nothing is to be changed. Here each output
sample is a short windowed sinc over the input around its place; at speed 1 and on a sample's place that is the sample
itself, which is copied. It runs in C where that is compiled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from intercom.media.native import module
from intercom.media.sound.format import Samples, to_samples

TAPS = 24
"""Length of the filter in samples; it delays by half of that."""
PHASES = 256
"""Places between two samples that have a filter of their own: few enough for the cache, too many to be heard."""
KAISER_BETA = 6.0
"""Shape of the Kaiser window: 60 dB of stop band (Kaiser 1974)."""
LATENCY = TAPS // 2
"""Samples by which the output is late."""
WHOLE = 1e-6
"""Distance at which two places are one: they are added up in floating point."""
_HALF = TAPS // 2 - 1


def _kernels() -> npt.NDArray[np.float32]:
    """Return the filter of each phase, whose sum is 1; phase 0 is the sample itself."""
    at = np.arange(TAPS) - _HALF - np.arange(PHASES + 1).reshape(-1, 1) / PHASES
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(0.0, 1 - (at / (TAPS / 2)) ** 2))) / np.i0(KAISER_BETA)
    response = np.sinc(at) * window
    return np.asarray(response / response.sum(axis=1, keepdims=True), np.float32)


KERNELS = _kernels()
_FLAT_KERNELS = KERNELS.reshape(-1)
Wave = npt.NDArray[np.float32]
At = Callable[[Wave, float, float, int], Samples]


def _numpy_at(heard: Wave, ahead: float, speed: float, count: int) -> Samples:
    """Return so many samples of what is heard at `speed`, from the place `ahead` on."""
    at = ahead + speed * np.arange(count)
    first = at.astype(np.int64)
    phase = np.rint((at - first) * PHASES).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(heard, TAPS)[first]
    return to_samples(np.einsum("ij,ij->i", windows, KERNELS[phase]))


def _compiled() -> At:
    """Return what does the same, to one bit, in C."""
    from intercom.media.native import _native

    def at(heard: Wave, ahead: float, speed: float, count: int) -> Samples:
        played: Samples = np.empty(count, np.int16)
        _native.varispeed(heard, _FLAT_KERNELS, ahead, speed, played)
        return played

    return at


class Varispeed:
    """One stream of sound whose speed may change with every piece of it."""

    def __init__(self) -> None:
        self._at: At = _compiled() if module.is_there() else _numpy_at
        self._past: Samples = np.zeros(TAPS - 1, np.int16)
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
                return heard[_HALF : _HALF + length]
            speed, count = self._to_a_sample(length)
        else:
            count = max(0, int(np.ceil((length - self._ahead) / speed - WHOLE)))
        played = self._at(heard.astype(np.float32), self._ahead, speed, count)
        self._ahead = self._ahead + speed * count - length
        if abs(self._ahead - round(self._ahead)) < 2 * WHOLE:
            self._ahead = float(round(self._ahead))
        return played

    def _to_a_sample(self, length: int) -> tuple[float, int]:
        """Return the speed nearest to 1 that ends on the first sample of the next piece, and the samples it gives."""
        count = max(1, round(length - self._ahead))
        return (length - self._ahead) / count, count
