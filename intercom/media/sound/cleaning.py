"""Brings what the microphone captured to the far end's ears: its gain, the echo canceller, and muting."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from intercom.media.sound.ends import Canceller
from intercom.media.sound.format import (
    BLOCK_SAMPLES,
    RATE_HZ,
    SILENCE,
    Samples,
    block_samples,
    ratio,
    to_samples,
)

EARLY_S = 0.005
"""Half of a block: a turn that is this much early is still taken for the second block's own."""


class Cleaning:
    """What is done with the microphone's blocks, on the engine's thread; with no canceller they keep 48 kHz."""

    def __init__(self, canceller: Canceller | None, gain_db: float) -> None:
        self._canceller = canceller
        self._gain = ratio(gain_db)
        self._second: Samples | None = None
        self._second_at = 0.0
        self.rate_hz = RATE_HZ if canceller is None else canceller.rate_hz
        """Sample rate of what is sent."""
        self._block = block_samples(self.rate_hz)
        self.muted = False
        """Whether silence is sent in place of what is captured."""
        self.last = SILENCE
        """The last block that the microphone gave, cleaned."""

    def set_gain_db(self, gain_db: float) -> None:
        """Set the microphone's gain from the next block on."""
        self._gain = ratio(gain_db)

    def begin(self, now: float) -> None:
        """Note that the microphone starts."""
        if self._canceller is not None:
            if now >= self._second_at:
                self._second = None
            self._canceller.begin()

    def forget_the_room(self) -> None:
        """Forget the room's echo path: the device changed."""
        if self._canceller is not None:
            self._canceller.reset()

    def played(self, sound: Samples, now: float) -> None:
        """Take exactly the sound that was written to the speaker: a block, or two of one length.

        The canceller gets the second when it would have been written alone: how much it has got by the microphone's
        turn tells it how the two clocks differ.
        """
        if self._canceller is None:
            return
        self._give_second()
        if len(sound) > BLOCK_SAMPLES:
            half = len(sound) // 2
            self._second, self._second_at = sound[half:], now + half / RATE_HZ - EARLY_S
            sound = sound[:half]
        self._canceller.played(sound)

    def _give_second(self) -> None:
        if self._second is not None and self._canceller is not None:
            self._canceller.played(self._second)
            self._second = None

    def cleaned(self, blocks: Iterator[Samples], now: float) -> Iterator[Samples]:
        """Yield what is sent of the captured blocks, cleaned two at a time: they cost little more than one."""
        if self._second is not None and now >= self._second_at:
            self._give_second()
        for block in blocks:
            sound = np.concatenate([block, *islice(blocks, 1)])
            if self._gain != 1.0:
                sound = to_samples(sound * np.float32(self._gain))
            if self._canceller is not None:
                sound = self._canceller.clean(sound)
            for at in range(0, len(sound), self._block):
                self.last = sound[at : at + self._block]
                yield SILENCE[: self._block] if self.muted else self.last
