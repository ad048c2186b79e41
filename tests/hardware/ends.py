"""The two ends of a call without a call: what the engine plays comes from one, what it hears goes to the other."""

from __future__ import annotations

import numpy as np

from intercom.media.sound.format import BLOCK_SAMPLES, Samples
from tests.alsa import tone, tone_level_db


class FarEnd:
    """A far end that says one tone for ever."""

    def __init__(self, hz: int) -> None:
        self._blocks = np.split(tone(hz, 1.0), 100)
        self._next = 0

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        self._next = (self._next + 1) % len(self._blocks)
        return self._blocks[self._next]


class NearEnd:
    """Where the door's sound goes; remembers the last tenth of a second."""

    def __init__(self) -> None:
        self._blocks: list[Samples] = []

    def push(self, block: Samples, now: float) -> None:
        assert len(block) == BLOCK_SAMPLES
        self._blocks = [*self._blocks[-9:], block]

    def hears(self, hz: int) -> bool:
        return len(self._blocks) == 10 and tone_level_db(np.concatenate(self._blocks), hz) > -30

    def forget(self) -> None:
        self._blocks = []
