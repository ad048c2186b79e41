"""What reached the ear of what was said: how much later, what of it is missing, and how good it sounds."""

from __future__ import annotations

import logging
import statistics
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from bench._paced import BenchCards
from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples

Wave = npt.NDArray[np.float32]

HZ = 8000
"""Delays are looked for at this rate: an eighth of a millisecond is fine enough."""
WINDOW_S = 0.200
"""A syllable: long enough to be unlike itself one period of the voice later."""
EVERY_S = 0.100
LONGEST_S = 0.600
"""A delay is looked for up to here."""
LOUD_DB = -32.0
"""Full scale. What is softer than that is no vowel, and every noise is like every other."""
LIKE = 0.6
"""Correlation from which two windows are the same words; through a codec they have 0.9 and more."""
PARTS = 4
"""A word that is not like what sounded at any one delay is looked for in so many parts: one in which a step of the
delay falls is heard all the same."""
NEAR = int(0.020 * HZ)
"""Limit of the distance between their delays: of other words 2.6 % are then found, of whole ones 5.9 %."""
SCORE_HZ = 16_000
"""ViSQOL's speech mode."""
SCORED_S = 10.0
"""Judged at a time: as long as the sentences that listeners were given, and its work grows with the square."""


@dataclass(frozen=True)
class Words:
    """A window of speech."""

    at: float
    """When it was said, on the cards' clock."""
    delay_ms: float | None
    """How much later it sounded; None when it did not."""


class Hearing:
    """What `mouth` said from its first sample on, and what `ear` played of it."""

    def __init__(self, mouth: BenchCards, ear: BenchCards) -> None:
        self.began = mouth.microphone.began
        at, last = ear.speaker.heard[-1]
        self._mouth = mouth
        self._heard = recording(ear.speaker.heard, self.began, at - self.began + len(last) / RATE_HZ)
        self._said_low = _low(mouth.microphone.spoken(0, len(self._heard)))
        self._heard_low = _low(self._heard)

    def words(self, begin: float, end: float) -> list[Words]:
        """Every loud window that was said between two times."""
        found = []
        size = int(WINDOW_S * HZ)
        reach = size + int(LONGEST_S * HZ)
        for at in np.arange(begin, end - LONGEST_S, EVERY_S):
            first = int((at - self.began) * HZ)
            said, heard = self._said_low[first : first + size], self._heard_low[first : first + reach]
            if first >= 0 and len(heard) > size + NEAR and _loud(said):
                like, lag = _best(said, heard)
                if like < LIKE:
                    like, lag = _best_in_parts(said, heard)
                found.append(Words(float(at), lag / HZ * 1000 if like >= LIKE else None))
        return found

    def pair(self, begin: float, end: float, delay_ms: float) -> tuple[Samples, Samples]:
        """What was said between two times and what sounded so much later, 48 kHz."""
        first, last = (int((at - self.began) * RATE_HZ) for at in (begin, end))
        later = int(delay_ms / 1000 * RATE_HZ)
        return self._mouth.microphone.spoken(first, last), self._heard[first + later : last + later]


def recording(heard: list[tuple[float, Samples]], begin: float, seconds: float) -> Samples:
    """What sounded from a time on, each sample at its place; silence where nothing did."""
    line = np.zeros(int(seconds * RATE_HZ), np.int16)
    for at, some in heard:
        offset = round((at - begin) * RATE_HZ)
        low, high = max(0, offset), min(len(line), offset + len(some))
        if high > low:
            line[low:high] = some[low - offset : high - offset]
    return line


def delay_ms(said: Samples, heard: Samples) -> float | None:
    """How much later the first loud window of `said` sounds in `heard`, which began when it did; None if nowhere."""
    said_low, heard_low = _low(said), _low(heard)
    size, reach = int(WINDOW_S * HZ), int((WINDOW_S + LONGEST_S) * HZ)
    for first in range(0, len(heard_low) - reach, int(EVERY_S * HZ)):
        window = said_low[first : first + size]
        if _loud(window):
            like, lag = _best(window, heard_low[first : first + reach])
            return lag / HZ * 1000 if like >= LIKE else None
    return None


def _low(sound: Samples) -> Wave:
    return np.asarray(soxr.resample(sound.astype(np.float32) / FULL_SCALE, RATE_HZ, HZ), np.float32)


def _loud(wave: Wave) -> bool:
    return bool(len(wave)) and 10 * np.log10(float(np.mean(wave**2)) + 1e-12) > LOUD_DB


def _best(said: Wave, heard: Wave) -> tuple[float, int]:
    """The best normalised correlation and the offset into `heard` where it is."""
    match = _match(said, heard)
    lag = int(np.argmax(match))
    return float(match[lag]), lag


def _best_in_parts(said: Wave, heard: Wave) -> tuple[float, int]:
    """The same, where each part has an offset of its own near the others': the least of theirs, and their mean."""
    size, reach = len(said) // PARTS, len(heard) - len(said)
    matches = [_match(said[at : at + size], heard[at : at + size + reach]) for at in range(0, len(said), size)]
    like = np.min([sliding_window_view(match, NEAR).max(axis=1) for match in matches], axis=0)
    first = int(np.argmax(like))
    lags = [int(np.argmax(match[first : first + NEAR])) for match in matches]
    return float(like[first]), first + round(statistics.mean(lags))


def _match(said: Wave, heard: Wave) -> npt.NDArray[np.float64]:
    """The normalised correlation at each offset into `heard`."""
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(np.float64) ** 2)])
    norm = np.sqrt(np.maximum(energy[len(said) :] - energy[: -len(said)], 1e-9) * float(np.sum(said**2)))
    return np.asarray(np.correlate(heard, said, "valid") / norm)


def score(pair: tuple[Samples, Samples]) -> float:
    """Mean opinion score of the second as a rendering of the first, 1 to 5, by ViSQOL's model of speech."""
    import visqol

    logging.getLogger("visqol").setLevel(logging.ERROR)
    judge = visqol.VisqolApi()
    judge.create(mode="speech", use_lattice_model=False)
    said, heard = (soxr.resample(sound.astype(np.float64) / FULL_SCALE, RATE_HZ, SCORE_HZ) for sound in pair)
    piece = int(SCORED_S * SCORE_HZ)
    begins = range(0, max(1, min(len(said), len(heard)) - piece + 1), piece)
    return float(
        np.mean(
            [judge.measure_from_arrays(said[at : at + piece], heard[at : at + piece], SCORE_HZ).moslqo for at in begins]
        )
    )
