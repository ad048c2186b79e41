"""48 kHz to a whole fraction of it and back, block by block, one millisecond late.

soxr's streams hold back whole blocks, 12 to 60 ms of them: too long for a voice on its way. A short linear-phase
filter does not; it passes 0 to 0.45 of the lower rate within 0.5 dB and takes aliases down by 60 dB.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intercom.media.sound import Samples, to_samples

TAPS_PER_PHASE = 32
KAISER_BETA = 6.0
"""60 dB of stop band (Kaiser 1974)."""
CUTOFF = 0.94
"""Of the lower rate's half."""

Wave = npt.NDArray[np.float32]


def _low_pass(factor: int) -> Wave:
    taps = TAPS_PER_PHASE * factor
    at = np.arange(taps) - (taps - 1) / 2
    response = np.sinc(at * CUTOFF / factor) * np.kaiser(taps, KAISER_BETA)
    return np.asarray(response / response.sum(), np.float32)


class _Line:
    """The newest samples as overlapping windows: one view of one buffer, made once for each block length."""

    def __init__(self, width: int, step: int) -> None:
        self._width = width
        self._step = step
        self._buffer: Wave = np.zeros(width - step, np.float32)
        self._length = 0
        self._windows: Wave = self._buffer

    def windows(self, block: Samples) -> Wave:
        """The windows that end in `block`, one for every `step` samples; valid until the next call."""
        past = self._width - self._step
        if len(block) != self._length:
            self._length = len(block)
            buffer = np.concatenate([self._buffer[len(self._buffer) - past :], np.zeros(len(block), np.float32)])
            self._windows = np.lib.stride_tricks.sliding_window_view(buffer, self._width, writeable=True)[:: self._step]
            self._buffer = buffer
        else:
            self._buffer[:past] = self._buffer[len(self._buffer) - past :]
        self._buffer[past:] = block
        return np.ascontiguousarray(self._windows)


class Decimator:
    """One sample out for `factor` in."""

    def __init__(self, factor: int) -> None:
        self._taps = _low_pass(factor)[::-1].copy()
        self._line = _Line(len(self._taps), factor)

    def run(self, block: Samples) -> Samples:
        """The next samples; the length of `block` is a multiple of the factor."""
        return to_samples(self._line.windows(block) @ self._taps)


class Interpolator:
    """`factor` samples out for one in."""

    def __init__(self, factor: int) -> None:
        taps = _low_pass(factor) * factor
        # One column for each of the samples between two of the input (polyphase).
        self._phases = np.ascontiguousarray(taps.reshape(TAPS_PER_PHASE, factor)[::-1])
        self._line = _Line(TAPS_PER_PHASE, 1)

    def run(self, block: Samples) -> Samples:
        """The next samples."""
        return to_samples((self._line.windows(block) @ self._phases).reshape(-1))
