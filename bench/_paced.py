"""A paced card with a metronome before its microphone and a stopwatch behind its speaker."""

from __future__ import annotations

import time
from bisect import bisect_left

import numpy as np

from intercom.media.card import Pcm
from intercom.media.events import Direction
from intercom.media.simulated import SimulatedMicrophone, SimulatedSpeaker
from intercom.media.sound import RATE_HZ, SAMPLE_BYTES, Samples

CLICK_EVERY_S = 0.5
CLICK_S = 0.012
WINDOW_S = 0.480
"""A click is looked for this long after it was captured."""
WEAKEST = 0.35
"""Of the correlation of an undisturbed click: below this it was lost."""


def click() -> Samples:
    """A short sweep from 800 to 3200 Hz: narrow in correlation, and speech enough for every codec."""
    at = np.arange(int(CLICK_S * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * (800 * at + (3200 - 800) / (2 * CLICK_S) * at**2)
    return (12_000 * np.sin(phase) * np.hanning(len(at))).astype(np.int16)


class Metronome(SimulatedMicrophone):
    """A capture PCM that hears a click twice a second."""

    def __init__(self) -> None:
        super().__init__(np.zeros(1, np.int16))
        beat = np.zeros(int(CLICK_EVERY_S * RATE_HZ), np.int16)
        sound = click()
        beat[: len(sound)] = sound
        self._voice = beat

    def avail(self) -> int:
        """Never an overrun: a late reader hears everything, later."""
        return max(0, self._elapsed_frames() - self._read_frames)

    def clicks(self, until: float) -> list[float]:
        """When each click was captured (its first sample), on `time.monotonic`."""
        count = max(0, int((until - self._began) / CLICK_EVERY_S))
        return [self._began + n * CLICK_EVERY_S for n in range(count)]


class Stopwatch(SimulatedSpeaker):
    """A playback PCM that knows when each sample sounds."""

    def __init__(self) -> None:
        super().__init__(None)
        self.heard: list[tuple[float, Samples]] = []

    def _record(self, data: bytes) -> None:
        frames = len(data) // SAMPLE_BYTES
        sounds_at = self._began + (self._written_frames - frames) / RATE_HZ
        self.heard.append((sounds_at, np.frombuffer(data, np.int16)))


class BenchCards:
    """One card: a metronome and a stopwatch."""

    description = "paced bench card"

    def __init__(self) -> None:
        self.microphone = Metronome()
        self.speaker = Stopwatch()

    def open(self, direction: Direction) -> Pcm:
        return self.microphone if direction == "capture" else self.speaker


def delays_ms(clicks: list[float], heard: list[tuple[float, Samples]]) -> list[tuple[float, float | None]]:
    """For each click when it was captured, and how much later it sounded in ms; None where it did not."""
    pattern = click().astype(np.float64)
    strength = float(np.dot(pattern, pattern))
    starts = [at for at, _ in heard]
    result: list[tuple[float, float | None]] = []
    for captured_at in clicks:
        line = _line(captured_at, starts, heard)
        if line is None:
            result.append((captured_at, None))
            continue
        match = np.correlate(line, pattern, "valid") / strength
        best = int(np.argmax(np.abs(match)))
        found = abs(match[best]) >= WEAKEST
        result.append((captured_at, best / RATE_HZ * 1000 if found else None))
    return result


def _line(begin: float, starts: list[float], heard: list[tuple[float, Samples]]) -> np.ndarray | None:
    """What sounded in the window after `begin`, each sample at its time."""
    line = np.zeros(int(WINDOW_S * RATE_HZ))
    first = max(0, bisect_left(starts, begin) - 1)
    filled = False
    for at, samples in heard[first:]:
        offset = round((at - begin) * RATE_HZ)
        if offset >= len(line):
            return line if filled else None
        low, high = max(0, offset), min(len(line), offset + len(samples))
        if high > low:
            line[low:high] = samples[low - offset : high - offset]
            filled = True
    return None


def now() -> float:
    """The cards' clock."""
    return time.monotonic()
