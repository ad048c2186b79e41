"""Keys as tones in the sound (ITU-T Q.23, Q.24), for far ends that can send them no other way.

Speech must not open a door: two tones have to hold most of the energy, in the right balance, for 40 ms. It is used
only where that is wanted and the far end has not agreed to telephone events.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intercom.media.sound import BLOCK_SAMPLES, FULL_SCALE, RATE_HZ, Samples

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")
"""Rows by low tone, columns by high tone (Q.23 figure 1)."""
WINDOW = RATE_HZ * 20 // 1000
"""20 ms: short enough for Q.24's shortest key of 40 ms, long enough to tell 697 from 770 Hz."""
WINDOWS_FOR_A_KEY = 2
PURE = 0.75
"""Share of the energy that the two tones hold; speech reaches half."""
TWIST_DB = 8.0
"""One tone may be louder than the other by so much (Q.24: 4 to 8 dB, by direction)."""
WEAKEST = 0.01
"""-40 dB full scale, each tone."""

_PHASES = 2 * np.pi * np.outer((*LOW_HZ, *HIGH_HZ), np.arange(WINDOW) / RATE_HZ)
# Goertzel's filters for all eight tones at once: a row of cosines and one of sines each. Real ones, for a complex
# matrix of this size NumPy splits over threads that cost fifty times what they save.
_FILTERS = (np.concatenate([np.cos(_PHASES), np.sin(_PHASES)]) * (2 / WINDOW)).astype(np.float32)


def key_hz(key: str) -> tuple[float, float]:
    """The two tones of a key."""
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    return LOW_HZ[row], HIGH_HZ[KEYS[row].index(key)]


class HeardKey(NamedTuple):
    """A key that was recognised."""

    key: str
    levels: tuple[float, float]
    """Of its low and its high tone; 1 is full scale."""


class KeyDetector:
    """Finds keys in 48 kHz sound, block by block of 10 ms."""

    def __init__(self) -> None:
        self._waiting: list[Samples] = []
        self._last: str | None = None
        self._windows = 0
        self._told: str | None = None

    def listen(self, block: Samples) -> HeardKey | None:
        """The key that is recognised with this block; each one once, however long it is held."""
        self._waiting.append(block)
        if len(self._waiting) * BLOCK_SAMPLES < WINDOW:
            return None
        heard = _key(np.concatenate(self._waiting))
        self._waiting.clear()
        key = None if heard is None else heard.key
        self._windows = self._windows + 1 if key == self._last else 1
        self._last = key
        if self._windows < WINDOWS_FOR_A_KEY or key == self._told:
            return None
        self._told = key
        return heard


def _key(window: Samples) -> HeardKey | None:
    wave = window.astype(np.float32) / FULL_SCALE
    energy = float(wave.dot(wave)) / WINDOW
    if energy < WEAKEST**2:
        return None
    levels = np.hypot(*(_FILTERS @ wave).reshape(2, -1))
    low, high = int(np.argmax(levels[:4])), int(np.argmax(levels[4:]))
    a, b = float(levels[low]), float(levels[4 + high])
    if min(a, b) < WEAKEST or (a * a + b * b) / 2 < PURE * energy:
        return None
    if abs(20 * np.log10(a / b)) > TWIST_DB:
        return None
    return HeardKey(KEYS[low][high], (a, b))
