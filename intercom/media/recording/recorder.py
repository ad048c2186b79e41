"""Record what a visitor says and shows: sound from the engine, the picture from the camera, a fragment a second.

The recorder is the far end of no call: it takes the call's place at the engine, and gives it to any call that comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from intercom.media.camera.shared import Camera
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ
from intercom.media.codec.opus import FRAME_SAMPLES, OpusEncoder
from intercom.media.recording.mp4 import Sample, fragment, header
from intercom.media.recording.pictures import Pictures
from intercom.media.recording.voice import Packet, Silent, Voice
from intercom.media.sound.ends import FarEnd, NearEnd
from intercom.media.sound.format import RATE_HZ

FRAGMENT_S = 1.0
"""Length of a fragment: what a power cut costs at most."""
PICTURE_PATIENCE_S = 3.0
"""Time that a recording waits for its camera, which was cold; then it is one of sound alone."""
SILENT_S = 5.0
"""Silence after which a visitor has said what they had to say."""
MOST_BYTES = 15 * 1024 * 1024
"""Limit of a recording: twice half a minute of the usual picture."""

Write = Callable[[bytes], object]
"""Appends to the file and returns when it is on the disk; runs in a thread, and raises OSError."""


class Engine(Protocol):
    """The audio engine, as a recording uses it."""

    def connect(self, far: FarEnd, near: NearEnd) -> None:
        """Carry these two ends."""

    def disconnect(self, near: NearEnd) -> None:
        """Let this end go."""


class Recorded(NamedTuple):
    """What was recorded."""

    seconds: float
    """Length of the sound."""
    heard: bool
    """Whether somebody spoke."""


class Recording:
    """One recording, on the event loop. The camera begins to run as it is made; nothing is kept before `run`."""

    def __init__(
        self,
        engine: Engine,
        camera: Camera | None,
        *,
        longest_s: float,
        silent_s: float = SILENT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._longest_s = longest_s
        self._silent_s = silent_s
        self._clock = clock
        self._voice = Voice(OpusEncoder())
        self._pictures = None if camera is None or camera.is_forbidden else Pictures(camera, clock=clock)
        self._ended = asyncio.Event()
        self._fragments = 0
        self._bytes = 0
        self._waiting: list[Packet] = []
        self._sound_end = 0
        self._shows = False
        "the header says that there is a picture"

    def end(self) -> None:
        """End it: the visitor has said what they had to say, or something else begins."""
        self._ended.set()

    async def run(self, write: Write) -> Recorded:
        """Record until `end`, or all is said, or its time is over; raises OSError when the file cannot be written."""
        began = self._clock()
        if self._pictures is not None:
            self._pictures.begin()
        self._engine.connect(Silent(), self._voice)
        try:
            while not self._is_over(began):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FRAGMENT_S):
                        await self._ended.wait()
                await self._cut(write, began)
        finally:
            self._engine.disconnect(self._voice)
        await self._cut(write, began, last=True)
        return Recorded(self._sound_end / RATE_HZ, self._voice.speech.heard)

    async def close(self) -> None:
        """Let the camera go; harmless when it is closed."""
        if self._pictures is not None:
            await self._pictures.close()

    def _is_over(self, began: float) -> bool:
        too_long = self._clock() - began >= self._longest_s or self._bytes >= MOST_BYTES
        return self._ended.is_set() or too_long or self._voice.speech.silent_s >= self._silent_s

    async def _cut(self, write: Write, began: float, *, last: bool = False) -> None:
        """Write what has come since the last fragment."""
        self._waiting += self._voice.take()
        if not self._waiting or (not last and self._waits_for_camera(began)):
            return
        data = (b"" if self._fragments else self._header()) + self._fragment(last=last)
        self._bytes += len(data)
        await asyncio.to_thread(write, data)

    def _waits_for_camera(self, began: float) -> bool:
        patient = not self._fragments and self._clock() - began < PICTURE_PATIENCE_S
        return patient and self._pictures is not None and self._pictures.sets is None

    def _header(self) -> bytes:
        sets = None if self._pictures is None else self._pictures.sets
        self._shows = sets is not None
        return header(sets)

    def _fragment(self, *, last: bool) -> bytes:
        packets, self._waiting = self._waiting, []
        ends = [*(packet.at for packet in packets[1:]), packets[-1].at + FRAME_SAMPLES]
        sounds = [Sample(packet.data, end - packet.at) for packet, end in zip(packets, ends, strict=True)]
        self._sound_end = ends[-1]
        self._fragments += 1
        pictures, picture_at = self._pictures, 0
        shown: list[Sample] = []
        if pictures is not None and self._shows and self._voice.begun_at is not None:
            picture_at = pictures.position
            shown = pictures.take(self._voice.begun_at)
            if last:
                shown += pictures.last(self._sound_end * VIDEO_CLOCK_HZ // RATE_HZ)
        return fragment(self._fragments, packets[0].at, sounds, picture_at, shown)
