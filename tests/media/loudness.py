"""A judge of loudness beside the program's own: ITU-R BS.1770-4 for mono at 48 kHz, as the recommendation writes it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples

SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""The two filters of the weighting, annex 1: coefficients of the numerator and of the denominator."""
BLOCK, STEP = RATE_HZ * 400 // 1000, RATE_HZ * 100 // 1000
ABSOLUTE_LUFS, RELATIVE_LU = -70.0, -10.0
"""The gates."""


def lufs(sound: Samples) -> float:
    """Return the integrated loudness."""
    wave = _weighted(sound.astype(np.float64) / (FULL_SCALE + 1))
    powers = np.array([np.mean(wave[at : at + BLOCK] ** 2) for at in range(0, len(wave) - BLOCK + 1, STEP)])
    heard = powers[powers > _power(ABSOLUTE_LUFS)]
    if not len(heard):
        return -math.inf
    return _loudness(heard[heard > _power(_loudness(heard) + RELATIVE_LU)])


def _weighted(wave: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = len(wave) + RATE_HZ  # the filters ring on for less than a second
    delay = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)
    response = np.ones(len(delay), complex)
    for above, below in (SHELF, HIGH_PASS):
        response *= np.polyval(above[::-1], delay) / np.polyval(below[::-1], delay)
    weighted: npt.NDArray[np.float64] = np.fft.irfft(np.fft.rfft(wave, length) * response, length)[: len(wave)]
    return weighted


def _loudness(powers: npt.NDArray[np.float64]) -> float:
    return float(-0.691 + 10 * np.log10(np.mean(powers)))


def _power(loudness_lufs: float) -> float:
    return float(10 ** ((loudness_lufs + 0.691) / 10))
