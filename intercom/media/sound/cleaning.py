"""Brings what the microphone captured to the far end's ears: its gain, the echo canceller, and muting."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from intercom.media.errors import MediaError
from intercom.media.sound.ends import Canceller
from intercom.media.sound.format import (
    BLOCK_MS,
    BLOCK_SAMPLES,
    RATE_HZ,
    SILENCE,
    Samples,
    block_samples,
    ratio,
    to_samples,
)

log = logging.getLogger(__name__)

SOON_S = BLOCK_MS / 1000 + 0.0005
"""Time until the speaker is asked for which the canceller's reference has room when the microphone starts: one block.
With more it begins later by as much, or it would be short when the speaker waits for a packet."""


class Cleaning:
    """What is done with the microphone's blocks, on the engine's thread; with no canceller they keep 48 kHz."""

    def __init__(self, canceller: Canceller | None, gain_db: float) -> None:
        self._canceller = canceller
        self._gain = ratio(gain_db)
        self._written, self._written_at = 0, 0.0
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

    def prepare(self) -> None:
        """Load the canceller, from any thread; where that fails it is told, and the rest of the door goes on."""
        if self._canceller is None:
            return
        try:
            self._canceller.prepare()
        except MediaError as error:
            log.warning("The far end will hear itself: %s", error)

    def begin(self, early_s: float) -> None:
        """Note that the microphone starts, and that the speaker is to be asked in `early_s` seconds."""
        if self._canceller is not None:
            self._canceller.begin(max(0, int((early_s - SOON_S) * RATE_HZ)))

    def forget_the_room(self) -> None:
        """Forget the room's echo path: the device changed."""
        if self._canceller is not None:
            self._canceller.reset()

    def played(self, sound: Samples, now: float) -> None:
        """Take exactly the sound that was written to the speaker: a block, or two of one length."""
        self._written, self._written_at = len(sound), now
        if self._canceller is not None:
            self._canceller.played(sound)

    def cleaned(self, captured: Samples, now: float) -> Iterator[Samples]:
        """Yield what is sent of the captured blocks, cleaned two at a time: they cost little more than one."""
        ahead = max(0, self._written - int((now - self._written_at) * RATE_HZ))
        for begin in range(0, len(captured), 2 * BLOCK_SAMPLES):
            sound = captured[begin : begin + 2 * BLOCK_SAMPLES]
            if self._gain != 1.0:
                sound = to_samples(sound * np.float32(self._gain))
            if self._canceller is not None:
                sound = self._canceller.clean(sound, ahead)
            for at in range(0, len(sound), self._block):
                self.last = sound[at : at + self._block]
                yield SILENCE[: self._block] if self.muted else self.last
