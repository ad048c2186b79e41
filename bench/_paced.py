"""A paced card with somebody who speaks before its microphone and a tape recorder behind its speaker."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import alsaaudio
import numpy as np

from bench._speech import speech
from intercom.media.cards.card import Pcm
from intercom.media.cards.simulated import SimulatedMicrophone, SimulatedSpeaker
from intercom.media.events import Direction
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SAMPLE_BYTES, Samples, level_db

SPEECH_S = 80.0
PAUSE_DB = -45.0
LONGEST_PAUSE = 6
"""Blocks: what is quieter for longer is cut out, so that whatever is lost is lost from speech."""


@cache
def talk() -> Samples:
    """Recorded speech without its pauses: somebody who never draws breath."""
    spoken = speech(SPEECH_S)
    kept: list[Samples] = []
    quiet = 0
    for at in range(0, len(spoken) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        block = spoken[at : at + BLOCK_SAMPLES]
        quiet = quiet + 1 if level_db(block) < PAUSE_DB else 0
        if quiet <= LONGEST_PAUSE:
            kept.append(block)
    return np.concatenate(kept)


class Talker(SimulatedMicrophone):
    """A capture PCM that hears a voice over and over: `talk()` by default."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, voice: Samples | None = None) -> None:
        super().__init__(np.zeros(1, np.int16), clock)
        self._voice = talk() if voice is None else voice

    def avail(self) -> int:
        """Never an overrun: a late reader hears everything, later."""
        return max(0, self._elapsed_frames() - self._read_frames)

    def read(self) -> tuple[int, bytes]:
        """What is there by now, as ALSA gives it; the first call starts it."""
        if self._state != alsaaudio.PCM_STATE_RUNNING:
            return super().read()
        frames = self.avail()
        said = self.spoken(self._read_frames, self._read_frames + frames)
        self._read_frames += frames
        return frames, said.tobytes()

    @property
    def began(self) -> float:
        """When the first sample was captured."""
        return self._began

    def spoken(self, begin: int, end: int) -> Samples:
        """What was said from one sample to another, counted from the first."""
        said: Samples = self._voice.take(np.arange(begin, end), mode="wrap")
        return said


class Recorder(SimulatedSpeaker):
    """A playback PCM that knows when each sample sounds. `ppm`: how much faster than the clock it plays."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, ppm: float = 0.0) -> None:
        super().__init__(None, clock)
        self._rate_hz = RATE_HZ * (1 + ppm / 1e6)
        self.heard: list[tuple[float, Samples]] = []

    def _elapsed_frames(self) -> int:
        return int((self._clock() - self._began) * self._rate_hz)

    def _record(self, data: bytes) -> None:
        frames = len(data) // SAMPLE_BYTES
        sounds_at = self._began + (self._written_frames - frames) / self._rate_hz
        self.heard.append((sounds_at, np.frombuffer(data, np.int16)))


class BenchCards:
    """One card: a talker and a recorder."""

    description = "paced bench card"

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, ppm: float = 0.0, voice: Samples | None = None
    ) -> None:
        self.microphone = Talker(clock, voice)
        self.speaker = Recorder(clock, ppm)

    def open(self, direction: Direction) -> Pcm:
        return self.microphone if direction == "capture" else self.speaker
