"""The one format of sound inside the media part: mono S16 blocks of 10 ms, at 48 kHz.

What an echo canceller has cleaned stays at its own rate until it is encoded: 160 samples a block, at 16 kHz.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000
"""Sample rate: Opus' own, and one that every card takes or converts to."""
BLOCK_MS = 10
"""Length of a block: short enough that two at the speaker are not heard as delay, long enough for Python."""
BLOCK_SAMPLES = RATE_HZ * BLOCK_MS // 1000
SHORT_BLOCK_SAMPLES = BLOCK_SAMPLES - 9
"""Length of a block that is played 2 % faster, for the next one to be asked for earlier; a multiple of 3, as the
canceller takes every third."""
SPARE_S = 0.006
"""Part of the speaker's queue that may run down while a late packet is waited for: 4 ms stay for a late thread."""
SAMPLE_BYTES = 2
BLOCK_BYTES = BLOCK_SAMPLES * SAMPLE_BYTES
FULL_SCALE = 32767
_LOWEST, _HIGHEST = np.float32(-FULL_SCALE - 1), np.float32(FULL_SCALE)

Samples = npt.NDArray[np.int16]
"""Samples of mono S16, any length; a block is 480 of them at 48 kHz."""

SILENCE: Samples = np.zeros(BLOCK_SAMPLES, np.int16)
"""A silent block at 48 kHz; its beginning is one at a lower rate."""
SILENCE.setflags(write=False)


def block_samples(rate_hz: int) -> int:
    """Return the samples in a block at this rate."""
    return rate_hz * BLOCK_MS // 1000


def ratio(level_db: float) -> float:
    """Return the amplitude ratio of `level_db`."""
    return float(10 ** (level_db / 20))


def level_db(samples: Samples) -> float:
    """Return the RMS of `samples` in dB below a full-scale square wave; -96 at the quietest."""
    wave = samples.astype(np.float32)
    return energy_db(float(wave.dot(wave)), len(wave))


def energy_db(energy: float, samples: int) -> float:
    """Return the level of so many samples, of which the squares have this sum."""
    return max(-96.0, 10 * math.log10(max(energy / samples, 1e-9) / FULL_SCALE**2)) if samples else -96.0


def to_samples(wave: npt.NDArray[np.float32]) -> Samples:
    """Clip float samples of S16 scale to S16."""
    # `clip` goes through Python, and takes as long as the rest of a block's filter.
    return np.minimum(np.maximum(wave, _LOWEST), _HIGHEST).astype(np.int16)
