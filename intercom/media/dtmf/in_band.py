"""Detects keys as tones in the sound (ITU-T Q.23, Q.24), for far ends that can send them no other way.

Speech, sirens and music must not open a door: two tones have to be there for 80 ms, at a key's frequencies, steady, in
balance, and with next to nothing beside them. The telephone network carries a key like that; Opus blurs some. It is
used only where that is wanted and the far end has not agreed to telephone events.
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intercom.media.sound.format import BLOCK_SAMPLES, FULL_SCALE, RATE_HZ, Samples

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = ("123A", "456B", "789C", "*0#D")
"""Keys of the keypad: rows by low tone, columns by high tone (Q.23 figure 1)."""
WINDOW = RATE_HZ * 20 // 1000
"""Length of the analysis window, 20 ms: it tells 697 from 770 Hz, and four windows fit into a key of 100 ms."""
WINDOWS_FOR_A_KEY = 4
"""Windows in a row that must hold the same key: a pressed key and a gateway's have more; music sometimes has three."""
MISSES_BETWEEN_KEYS = 2
"""Windows without a key that end it; a single one is a lost packet."""
LIKELY = 0.6
"""Least share of the energy near two of the eight frequencies for a closer look; speech reaches half."""
PURE = 0.94
"""Least share of the energy that the two tones hold at their own frequencies; a horn's or a flute's hold less."""
OFF = 0.01
"""Largest distance from a key's frequency. Q.24 grants 1.5 %, to coils; no chip that makes keys is off by 0.8 %."""
DRIFT = 0.003
"""Largest change of a tone's frequency within a key: voices and sirens glide."""
STEADY_DB = 0.8
"""Largest change of a tone's level within a key: notes swell and die away."""
TWIST_DB = 8.0
"""Largest level difference of the two tones (Q.24: 4 to 8 dB, by direction)."""
WEAKEST = 0.01
"""Least amplitude of each tone, -40 dB full scale."""


def _filters() -> npt.NDArray[np.float32]:
    phases = 2 * np.pi * np.outer((*LOW_HZ, *HIGH_HZ), np.arange(WINDOW) / RATE_HZ)
    both = np.concatenate([np.cos(phases), np.sin(phases)])
    return np.asarray(both * (2 / WINDOW), np.float32)


_FILTERS = _filters()
"""Goertzel's filters for all eight tones at once: a row of cosines and one of sines each. They are real, because NumPy
splits a complex matrix of this size over threads that cost fifty times the time they save."""


def key_hz(key: str) -> tuple[float, float]:
    """Return the low and the high frequency of a key."""
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    return LOW_HZ[row], HIGH_HZ[KEYS[row].index(key)]


class HeardKey(NamedTuple):
    """A recognised key."""

    key: str
    levels: tuple[float, float]
    """Levels of the low and the high tone; 1 is full scale."""


class _Likely(NamedTuple):
    """A window that is mostly two of the tones."""

    key: str
    tones: tuple[complex, complex]
    """Amplitude and phase at the window's beginning, of the low and the high tone."""


class _Fit(NamedTuple):
    """The two tones measured over two windows in a row."""

    off: tuple[float, float]
    """Distance of each tone from the key's frequency, as a share of it."""
    levels: tuple[float, float]
    """Levels of the low and the high tone; 1 is full scale."""


class KeyDetector:
    """Detects keys in 48 kHz sound, block by block of 10 ms."""

    def __init__(self) -> None:
        self._waiting: list[Samples] = []
        self._last: _Likely | None = None
        self._fits: list[_Fit] = []
        self._misses = 0
        self._told: str | None = None

    def listen(self, block: Samples) -> HeardKey | None:
        """Return the key recognised with this block; each key once, however long it is held."""
        self._waiting.append(block)
        if len(self._waiting) * BLOCK_SAMPLES < WINDOW:
            return None
        wave = np.concatenate(self._waiting).astype(np.float32) / np.float32(FULL_SCALE)
        self._waiting.clear()
        before, likely = self._last, _likely(wave)
        self._last = likely
        if likely is None:
            self._fits.clear()
            self._misses += 1
            if self._misses >= MISSES_BETWEEN_KEYS:
                self._told = None
            return None
        self._misses = 0
        fit = _fit(before, likely, wave) if before is not None and before.key == likely.key else None
        if fit is None or (self._fits and not _is_steady(self._fits[0], fit)):
            self._fits.clear()
        if fit is not None:
            self._fits.append(fit)
        if len(self._fits) < WINDOWS_FOR_A_KEY - 1 or likely.key == self._told:
            return None
        self._told = likely.key
        return HeardKey(likely.key, self._fits[-1].levels)


def _likely(wave: npt.NDArray[np.float32]) -> _Likely | None:
    energy = float(wave.dot(wave)) / WINDOW
    if energy < WEAKEST**2:
        return None
    cosines, sines = (_FILTERS @ wave).reshape(2, -1)
    levels = np.hypot(cosines, sines)
    low, high = int(np.argmax(levels[:4])), int(np.argmax(levels[4:]))
    a, b = float(levels[low]), float(levels[4 + high])
    if min(a, b) < WEAKEST or (a * a + b * b) / 2 < LIKELY * energy:
        return None
    if abs(20 * np.log10(a / b)) > TWIST_DB:
        return None
    tones = tuple(complex(cosines[n], -sines[n]) for n in (low, 4 + high))
    return _Likely(KEYS[low][high], (tones[0], tones[1]))


def _fit(before: _Likely, now: _Likely, wave: npt.NDArray[np.float32]) -> _Fit | None:
    """Return the two tones at their own frequencies; None when they are not the key's or other sound is in the window.

    How far a phase has turned since the window before tells a frequency much finer than one window can.
    """
    off, waves = [], []
    for key_tone, then, tone in zip(key_hz(now.key), before.tones, now.tones, strict=True):
        turned = cmath.phase(tone / then * cmath.exp(-2j * cmath.pi * key_tone * WINDOW / RATE_HZ))
        off_hz = turned / (2 * cmath.pi) * RATE_HZ / WINDOW
        off.append(off_hz / key_tone)
        turns = 2 * np.pi * (key_tone + off_hz) * np.arange(WINDOW) / RATE_HZ
        waves += [np.cos(turns), np.sin(turns)]
    if max(map(abs, off)) > OFF:
        return None
    basis = np.stack(waves, axis=1)
    parts, *_ = np.linalg.lstsq(basis, wave.astype(np.float64), rcond=None)
    rest = wave - basis @ parts
    if float(rest.dot(rest)) > (1 - PURE) * float(wave.dot(wave)):
        return None
    return _Fit((off[0], off[1]), (math.hypot(parts[0], parts[1]), math.hypot(parts[2], parts[3])))


def _is_steady(before: _Fit, now: _Fit) -> bool:
    drifts = (abs(one - other) for one, other in zip(before.off, now.off, strict=True))
    changes = (abs(20 * math.log10(one / other)) for one, other in zip(before.levels, now.levels, strict=True))
    return max(drifts) <= DRIFT and max(changes) <= STEADY_DB
