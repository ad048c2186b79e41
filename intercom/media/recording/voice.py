"""The near end of a recording: encodes the engine's blocks as Opus, and hears whether somebody speaks."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from intercom.media.codec.interface import FRAME_BLOCKS, FRAME_MS
from intercom.media.codec.opus import FRAME_SAMPLES, OpusEncoder
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples, level_db

GAP_S = 0.1
"""Time without a block after which the sound goes on later: the card was away, and what it missed is not filled."""
ABOVE_NOISE_DB = 10.0
"""Level over that of the place's noise at which a frame counts as loud: a voice before the door is 20 dB over it."""
QUIETEST_DB = -60.0
"""Least level of noise that is assumed: below it the microphone hears only itself."""
NOISE_RISES_DB_S = 1.5
"""Rate at which the assumed noise rises, so that a car that stops before the door is noise after some seconds. A voice
pauses between its words, and each pause brings it back."""
SYLLABLE_FRAMES = 4
"""Loud frames in a row that make a voice, 80 ms: a click is shorter."""
LONGEST_UNREAD = 500
"""Limit of packets that wait to be read, 10 s."""


class Packet(NamedTuple):
    """A packet of Opus."""

    data: bytes
    at: int
    """Time of its beginning in samples at 48 kHz, from the first."""


class Silent:
    """A far end that says nothing."""

    def pull(
        self, now: float, shortest: int = BLOCK_SAMPLES, longest: int = BLOCK_SAMPLES, spare_s: float = 0.0
    ) -> Samples:
        """Return 10 ms of silence."""
        return SILENCE


class Speech:
    """Tells a voice from the noise of the street by its level. Pure: the frames' levels are its only clock."""

    def __init__(self) -> None:
        self._noise_db: float | None = None
        self._loud = 0
        self.silent_s = 0.0
        """Time since somebody was heard, or since the beginning."""
        self.heard = False
        """Whether somebody has been heard."""

    def frame(self, db: float) -> None:
        """Take the level of the next 20 ms."""
        seconds = FRAME_MS / 1000
        noise_db = db if self._noise_db is None else min(db, self._noise_db + NOISE_RISES_DB_S * seconds)
        self._noise_db = max(QUIETEST_DB, noise_db)
        self._loud = self._loud + 1 if db > self._noise_db + ABOVE_NOISE_DB else 0
        self.silent_s += seconds
        if self._loud >= SYLLABLE_FRAMES:
            self.silent_s = 0.0
            self.heard = True


class Voice:
    """The microphone's sound as packets: the engine's thread pushes, the event loop takes."""

    def __init__(self, encoder: OpusEncoder) -> None:
        self._encoder = encoder
        self._blocks: list[Samples] = []
        self._packets: deque[Packet] = deque(maxlen=LONGEST_UNREAD)
        self._at = 0
        self._last_push: float | None = None
        self.speech = Speech()
        self.begun_at: float | None = None
        """Time of the first block, on the engine's clock; None before."""

    def push(self, block: Samples, now: float) -> None:
        """Take the next captured block."""
        if self._last_push is None:
            self.begun_at = now
        elif now - self._last_push > GAP_S:
            self._at += int((now - self._last_push) * RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
            self._blocks = [SILENCE[: len(block)]] * len(self._blocks)
        self._last_push = now
        self._blocks.append(block)
        if len(self._blocks) < FRAME_BLOCKS:
            return
        frame = np.concatenate(self._blocks)
        self._blocks = []
        self.speech.frame(level_db(frame))
        self._packets.append(Packet(self._encoder.encode(frame), self._at))
        self._at += FRAME_SAMPLES

    def take(self) -> list[Packet]:
        """Return the packets since the last time."""
        return [self._packets.popleft() for _ in range(len(self._packets))]
