"""A simulated card that tells its place in steps, as many do."""

from __future__ import annotations

import alsaaudio

from bench._paced import BenchCards, Recorder
from bench.mouth_to_ear_simulated import Clock
from intercom.media.sound.format import Samples


class CoarseSpeaker(Recorder):
    """A speaker that plays as any other, and tells of it once for each `step` frames."""

    def __init__(self, clock: Clock, ppm: float, step: int) -> None:
        super().__init__(clock, ppm)
        self._step = step
        self.clicks = 0
        """Blocks that came after the sound before them had ended."""
        self.least_frames = 1 << 30
        """The least that was left to play when a block came."""
        self.stands_still = False
        """Whether its clock stands still: it opens, and plays nothing."""

    def _elapsed_frames(self) -> int:
        return 0 if self.stands_still else super()._elapsed_frames() // self._step * self._step

    def write(self, data: bytes, /) -> int:
        running = self._state == alsaaudio.PCM_STATE_RUNNING
        if running and data:
            left = self._written_frames - super()._elapsed_frames()
            self.least_frames = min(self.least_frames, left)
            self.clicks += left < 0
        return super().write(data)


class CoarseCards(BenchCards):
    """A card whose speaker is one of these."""

    def __init__(self, clock: Clock, step: int, ppm: float = 0.0, voice: Samples | None = None) -> None:
        super().__init__(clock, ppm, voice)
        self.speaker = CoarseSpeaker(clock, ppm, step)
