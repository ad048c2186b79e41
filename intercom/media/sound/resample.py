"""Resamples 48 kHz to a whole fraction of it and back, block by block, one millisecond late.

soxr's streams hold back whole blocks, 12 to 60 ms of them: too long for a voice on its way. A short linear-phase
filter does not; it passes 0 to 0.45 of the lower rate within 0.5 dB and takes aliases down by 60 dB. Every block of the
microphone and of its reference goes through the decimator: it runs in C where that is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from intercom.media.native import module
from intercom.media.sound.format import RATE_HZ, Samples, to_samples

TAPS_PER_PHASE = 32
"""Length of the filter, in samples of the lower rate."""
KAISER_BETA = 6.0
"""Shape of the Kaiser window: 60 dB of stop band (Kaiser 1974)."""
CUTOFF = 0.94
"""Cut-off of the filter, as a share of the lower rate's Nyquist frequency."""
GROUP = 16
"""Limit of filter steps computed together: twice the arithmetic of single steps, a tenth of the memory traffic."""

Wave = npt.NDArray[np.float32]


def _low_pass(factor: int) -> Wave:
    taps = TAPS_PER_PHASE * factor
    at = np.arange(taps) - (taps - 1) / 2
    response = np.sinc(at * CUTOFF / factor) * np.kaiser(taps, KAISER_BETA)
    return np.asarray(response / response.sum(), np.float32)


class _Filter:
    """A convolution that gives `kernel.shape[1]` samples for every `step`, as one small product of matrices.

    A row of it serves `GROUP` steps at once: one row for each step would copy every sample as often as the kernel is
    long, and push all else out of the processor's nearest cache.
    """

    def __init__(self, kernel: Wave, step: int) -> None:
        self._kernel = kernel
        self._step = step
        self._past: Wave = np.zeros(len(kernel) - step, np.float32)
        self._prepared: dict[int, tuple[Wave, Wave, Wave]] = {}

    def _prepare(self, length: int) -> tuple[Wave, Wave, Wave]:
        """Build the buffer for blocks of this length, its rows and the matrix, once."""
        past, (width, given) = len(self._past), self._kernel.shape
        group = math.gcd(length // self._step, GROUP)
        matrix: Wave = np.zeros((width + (group - 1) * self._step, group * given), np.float32)
        for n in range(group):
            matrix[n * self._step : n * self._step + width, n * given : (n + 1) * given] = self._kernel
        buffer: Wave = np.zeros(past + length, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(buffer, len(matrix))
        self._prepared[length] = buffer, windows[:: group * self._step], matrix
        return self._prepared[length]

    def run(self, block: Samples) -> Samples:
        """Return the next samples; the length of `block` is a multiple of the step, and one of few."""
        buffer, rows, matrix = self._prepared.get(len(block)) or self._prepare(len(block))
        past = len(self._past)
        buffer[:past] = self._past
        buffer[past:] = block
        self._past[:] = buffer[len(block) :]
        return to_samples((np.ascontiguousarray(rows) @ matrix).reshape(-1))

    def clear(self) -> None:
        """Take what came before for silence."""
        self._past[:] = 0


class _CompiledDecimator:
    """The same as `_Filter` gives with its step, to one bit."""

    def __init__(self, taps: Wave, factor: int) -> None:
        from intercom.media.native import _native

        self._factor = factor
        self._filter = _native.Decimator(taps, factor)
        self.clear = self._filter.clear

    def run(self, block: Samples) -> Samples:
        """Return the next samples; the length of `block` is a multiple of the factor."""
        down: Samples = np.empty(len(block) // self._factor, np.int16)
        self._filter.run(block, down)
        return down


class Decimator:
    """Divides the sample rate by `factor`."""

    def __init__(self, factor: int) -> None:
        taps = np.ascontiguousarray(_low_pass(factor)[::-1])
        filtered: _CompiledDecimator | _Filter
        filtered = _CompiledDecimator(taps, factor) if module.is_there() else _Filter(taps.reshape(-1, 1), factor)
        self.run = filtered.run
        self.clear = filtered.clear


class Interpolator(_Filter):
    """Multiplies the sample rate by `factor`."""

    def __init__(self, factor: int) -> None:
        # One column for each of the samples between two of the input (polyphase).
        super().__init__((_low_pass(factor) * factor).reshape(TAPS_PER_PHASE, factor)[::-1], 1)


def lowered_to(rate_hz: int) -> Callable[[Samples], Samples]:
    """Return what brings the blocks of one sound from 48 kHz to a whole fraction of it."""
    return Decimator(RATE_HZ // rate_hz).run if rate_hz != RATE_HZ else _unchanged


def _unchanged(block: Samples) -> Samples:
    return block
