"""Shortens a voice by one period of its pitch: it stays as high as it is, and hardly anybody hears it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intercom.media.sound.format import RATE_HZ, Samples, to_samples

SHORTEST, LONGEST = RATE_HZ // 400, RATE_HZ // 100
"""Limits of a period: voices of 100 to 400 Hz. Two of the longest fill a frame."""
COARSE = 6
"""Samples taken as one to find the period; the nearest lengths are then compared sample by sample."""
ALIKE = 0.7
"""Correlation of the sound with itself one period later from which one of them may stand for both."""

Wave = npt.NDArray[np.float32]


def without_a_period(sound: Samples, most: int) -> Samples:
    """Return the sound with its first two periods faded into one; all of it where none has up to `most` samples."""
    longest = min(LONGEST, len(sound) // 2, most) // COARSE
    if longest * COARSE < SHORTEST:
        return sound
    wave = sound.astype(np.float32)
    coarse = wave[: len(wave) // COARSE * COARSE].reshape(-1, COARSE).mean(axis=1)
    near, _ = _period(coarse, SHORTEST // COARSE, longest)
    shortest = max(SHORTEST, (near - 1) * COARSE)
    period, alike = _period(wave, shortest, max(shortest, min(longest, near + 1) * COARSE))
    if alike < ALIKE:
        return sound
    fade = np.linspace(0, 1, period, endpoint=False, dtype=np.float32)
    first, second, rest = wave[:period], wave[period : 2 * period], wave[2 * period :]
    return to_samples(np.concatenate([first + (second - first) * fade, rest]))


def _period(wave: Wave, shortest: int, longest: int) -> tuple[int, float]:
    """Return the lag from `shortest` to `longest` at which the sound is most like itself, and the correlation there."""
    length = len(wave) - longest
    begin, later = wave[:length], wave[shortest:]
    powers = np.concatenate([[0.0], np.cumsum(np.square(later, dtype=np.float64))])
    power = powers[length:] - powers[:-length]
    alike = np.correlate(later, begin, "valid") / np.sqrt(np.maximum(power * float(begin @ begin), 1.0))
    best = int(np.argmax(alike))
    return shortest + best, float(alike[best])
