"""Takes one still picture as JPEG from any camera source."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from intercom.media.camera.source import CameraError, CameraSource
from intercom.media.camera.stream import FrameSubscription
from intercom.media.codec.h264 import AccessUnit

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

log = logging.getLogger(__name__)

JPEG_QSCALE = 4
"""Quality of 2 (best) to 31: faces without blocks, 1280x720 in about 100 kB."""
SMALL_WIDTHS = (640, 480, 320, 160)
"""Widths of a picture for a page, the first that fits: 640 across shows a face on a telephone, in about 25 kB."""
KEYFRAME_WAIT_S = 0.12
"""Longest wait for a requested keyframe, three pictures at 25 a second: an encoder needs that long."""
DECODE_BUDGET_S = 0.1
"""Limit of the time spent decoding: a Pi 4 decodes ten pictures in it, and a snapshot stays below 300 ms."""
STILL_TRIES = 20
"""Pictures after each of which a snapshot is tried again: some of a run that has ended may wait unread."""
UNITS_LIMIT = 300
"""Limit of kept access units: ten seconds of a camera that ignores keyframe requests."""


async def still_of(
    source: CameraSource, frames: FrameSubscription, *, is_new: bool, is_forbidden: Callable[[], bool]
) -> bytes:
    """Return the source's picture: at once where it `is_new`, else after the next of its `frames`.

    A source that just ends for somebody else begins again for these frames, and is waited for. While it is forbidden
    it is not asked, and there is nothing.
    """
    for _ in range(STILL_TRIES):
        if not is_new:
            await frames.next()
        is_new = False
        if is_forbidden():
            return b""
        with contextlib.suppress(CameraError):
            return await asyncio.to_thread(source.snapshot)
    return await asyncio.to_thread(source.snapshot)


def jpeg(frame: VideoFrame) -> bytes:
    """Encode a picture of any pixel format as JPEG (JFIF, 4:2:0); do not encode one picture on two threads at once.

    A PyAV frame keeps the converter that it was last converted with, and converts without the interpreter's lock: two
    threads in one converter are a crash of the process.
    """
    import av  # heavy: only once there is a picture
    from av.video.codeccontext import VideoCodecContext

    full = frame.reformat(format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = full.width, full.height, "yuvj420p"
    encoder.time_base = Fraction(1, 1)
    encoder.thread_count = 1
    encoder.qmin = encoder.qmax = JPEG_QSCALE
    full.pts = 0
    full.time_base = Fraction(1, 1)
    return b"".join(bytes(packet) for packet in [*encoder.encode(full), *encoder.encode(None)])


def smaller(picture: bytes, most_bytes: int) -> bytes:
    """Return a JPEG in at most so many bytes, at most SMALL_WIDTHS across; empty where that cannot be."""
    import av  # heavy: only once there is a picture
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

    decoder = av.CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, VideoCodecContext)
    try:
        frame = decoder.decode(Packet(picture))[0]
    except (av.error.FFmpegError, IndexError) as error:
        log.info("A picture cannot be made smaller: %s", error)
        return b""
    for width in SMALL_WIDTHS:
        size = min(width, frame.width)
        small = jpeg(frame.reformat(width=size & ~1, height=round(frame.height * size / frame.width / 2) * 2))
        if len(small) <= most_bytes:
            return small
    return b""


class LatestFrame:
    """Holds a source's newest picture for stills, from the source's thread to any other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stills = threading.Lock()
        self._frame: VideoFrame | None = None

    def put(self, frame: VideoFrame | None) -> None:
        """Replace the picture; None when the camera stops, so that no old picture passes for a new one."""
        with self._lock:
            self._frame = frame

    def jpeg(self) -> bytes:
        """Return the newest picture as JPEG; raises CameraError if there is none."""
        with self._lock:
            frame = self._frame
        if frame is None:
            raise CameraError("The camera gives no picture now; try again when it runs.")
        with self._stills:
            return jpeg(frame)


class LatestUnits:
    """Holds the access units since the last keyframe and decodes them only for a still."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._units: list[AccessUnit] = []

    def put(self, unit: AccessUnit) -> None:
        """Add the newest unit."""
        with self._changed:
            if unit.keyframe:
                self._units = [unit]
                self._changed.notify_all()
            elif self._units and len(self._units) < UNITS_LIMIT:
                self._units.append(unit)

    def clear(self) -> None:
        """Forget all units: the camera stopped, and no old picture may pass for a new one."""
        with self._changed:
            self._units = []

    def jpeg(self, request_keyframe: Callable[[], None]) -> bytes:
        """Return the newest picture as JPEG, or the newest that can be decoded in time.

        Asks for a keyframe and waits a moment for it: one picture to decode instead of many. Raises CameraError if
        there is no picture.
        """
        with self._changed:
            before = self._units
            if before:
                request_keyframe()
                self._changed.wait_for(lambda: self._units is not before, KEYFRAME_WAIT_S)
            units = list(self._units)
        frame = self._decode(units)
        if frame is None:
            raise CameraError("The camera gives no picture now; try again when it runs.")
        return jpeg(frame)

    def _decode(self, units: list[AccessUnit]) -> VideoFrame | None:
        import av  # heavy: only once there is a picture
        from av.packet import Packet
        from av.video.codeccontext import VideoCodecContext

        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_type = "SLICE"  # frame threads would hold back the last pictures
        until_s = self._clock() + DECODE_BUDGET_S
        newest: VideoFrame | None = None
        for unit in units:
            try:
                newest = next(iter(decoder.decode(Packet(unit.data))), newest)
            except av.error.InvalidDataError:  # USB cameras cut a picture short now and then, often the first
                log.debug("Skipped a damaged picture of %d bytes", len(unit.data))
            if self._clock() > until_s:
                break
        return next(iter(decoder.decode(None)), newest)
