"""The door's microphone for all viewers: encoded once for each codec that somebody takes, however many they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from intercom.integrations.rtsp.streams import Codec
from intercom.media.codec.g711 import G711Encoder
from intercom.media.codec.interface import FRAME_BLOCKS, FRAME_MS, Encoder
from intercom.media.codec.opus import OpusEncoder
from intercom.media.sound.beside import BesideCall
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples

FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
GAP_S = 0.1
"""Time without a block after which the sound goes on later: the card was away, and what it missed is not filled."""
MOST_WAITING = 50
"""Limit of blocks that wait for the event loop, half a second: older sound is dropped."""


class Sound(NamedTuple):
    """20 ms of encoded sound."""

    payload: bytes
    """RTP payload."""
    timestamp: int
    """Time of its beginning on the codec's clock."""
    begins: bool
    """Whether it is the first after a gap."""


Take = Callable[[Sound], object]


def encoder_of(codec: Codec) -> Encoder:
    """Return a new encoder."""
    return OpusEncoder() if codec == "opus" else G711Encoder("pcma")


class Microphone:
    """Hands the sound to its listeners, on the event loop; the engine's thread pushes.

    The microphone runs while somebody listens. While the camera is off for privacy, they hear silence.
    """

    def __init__(self, sound: BesideCall, *, is_private: Callable[[], bool]) -> None:
        self._sound = sound
        self._is_private = is_private
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[Codec, list[Take]] = {}
        self._encoders: dict[Codec, Encoder] = {}
        self._blocks: deque[tuple[Samples, float]] = deque(maxlen=MOST_WAITING)
        self._frame: list[Samples] = []
        self._at = 0
        self._last_s: float | None = None
        self._begins = True

    def listen(self, codec: Codec, take: Take) -> None:
        """Hand each 20 ms of sound to `take`, until `leave`."""
        if not self._listeners:
            self._sound.listen(self)
        self._listeners.setdefault(codec, []).append(take)
        if codec not in self._encoders:
            self._encoders[codec] = encoder_of(codec)

    def leave(self, codec: Codec, take: Take) -> None:
        """Hand it nothing more."""
        listeners = self._listeners.get(codec, [])
        if take not in listeners:
            return
        listeners.remove(take)
        if not listeners:
            del self._listeners[codec], self._encoders[codec]
        if not self._listeners:
            self._sound.leave(self)

    def now(self, clock_hz: int, now_s: float) -> int | None:
        """Return the timestamp of the sound that is captured at this moment; None before the first."""
        if self._last_s is None:
            return None
        captured = self._at + len(self._frame) * BLOCK_SAMPLES
        return captured * clock_hz // RATE_HZ + int((now_s - self._last_s) * clock_hz)

    # The engine's thread

    def push(self, block: Samples, now: float) -> None:
        """Take the next captured block."""
        self._blocks.append((block, now))
        if len(self._blocks) == 1:
            with contextlib.suppress(RuntimeError):  # the loop has closed; the engine lets go of us next
                self._loop.call_soon_threadsafe(self._encode)

    # The event loop

    def _encode(self) -> None:
        while self._blocks:
            block, now = self._blocks.popleft()
            self._add(SILENCE[: len(block)] if self._is_private() else block, now)

    def _add(self, block: Samples, now: float) -> None:
        if self._last_s is not None and now - self._last_s > GAP_S:
            self._at += int((now - self._last_s) * RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
            self._frame = []
            self._begins = True
        self._last_s = now
        self._frame.append(block)
        if len(self._frame) < FRAME_BLOCKS:
            return
        frame = np.concatenate(self._frame)
        self._frame = []
        for codec, encoder in self._encoders.items():
            payload = encoder.encode(frame)
            sound = Sound(payload, self._at * encoder.clock_hz // RATE_HZ, self._begins)
            for take in tuple(self._listeners[codec]):
                take(sound)
        self._begins = False
        self._at += FRAME_SAMPLES
