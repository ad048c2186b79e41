"""Encodes pictures as H.264 in software, at a cost that a Pi can bear, for sources without an encoder of their own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from intercom.media.codec.h264 import VIDEO_CLOCK_HZ, AccessUnit

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

VIDEO_TIME_BASE = Fraction(1, VIDEO_CLOCK_HZ)
"""Time base of presentation times."""
KEYFRAME_INTERVAL_S = 10
"""Interval between keyframes without a request: it serves only a far end that cannot ask."""
COST_WINDOW_S = 2.0
"""Window of the cost measurement: long enough to average a keyframe out, short enough to show a new setting."""
NICENESS = 2
"""Niceness of the encoding thread: it gives way to the sound thread."""
SOFTWARE_MAX_WIDTH = 960
"""Limit of the width when encoding in software: 960x540 at 15 frames a second costs a third of 1280x720 at 25 and shows
a face as well on a telephone. A Pi 4 has no time for more beside an echo canceller."""
SOFTWARE_MAX_FRAME_RATE = 15
"""Limit of the frame rate when encoding in software."""
SOFTWARE_MAX_BITRATE_BPS = 1_000_000
"""Limit of the bit rate when encoding in software."""


class VideoFormat(msgspec.Struct, frozen=True):
    """Size, rate and bit rate of a picture stream."""

    width: int
    """Pixels, even."""
    height: int
    """Pixels, even."""
    frame_rate: int
    """Frames per second."""
    bitrate_bps: int
    """Target bit rate in bits a second."""

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.frame_rate} frames/s, {self.bitrate_bps // 1000} kbit/s"

    def for_software(self) -> VideoFormat:
        """Return the format for encoding in software: the same aspect ratio, within the limits above."""
        width = min(self.width, SOFTWARE_MAX_WIDTH)
        height = round(self.height * width / self.width / 2) * 2
        return VideoFormat(
            width - width % 2,
            height,
            min(self.frame_rate, SOFTWARE_MAX_FRAME_RATE),
            min(self.bitrate_bps, SOFTWARE_MAX_BITRATE_BPS),
        )


class SoftwareEncoder:
    """x264 for conversation: constrained baseline, no delay, parameter sets before each IDR, one thread."""

    def __init__(self, video: VideoFormat) -> None:
        import av  # 16 MB and many libraries to load: only once there is something to encode
        from av.video.codeccontext import VideoCodecContext

        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = video.width, video.height, "yuv420p"
        context.framerate = Fraction(video.frame_rate, 1)
        context.time_base = VIDEO_TIME_BASE
        context.bit_rate = video.bitrate_bps
        context.gop_size = video.frame_rate * KEYFRAME_INTERVAL_S
        context.max_b_frames = 0
        context.thread_count = 1
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": "3.1",  # what the offered profile-level-id 42e01f promises
            "forced-idr": "1",
            # The rate is kept within each second, and a keyframe's burst within half of one.
            "maxrate": str(video.bitrate_bps),
            "bufsize": str(video.bitrate_bps // 2),
            "x264-params": "repeat-headers=1",
        }
        self._context = context
        self._keyframe_wanted = threading.Event()

    def request_keyframe(self) -> None:
        """Make the next picture an IDR (any thread)."""
        self._keyframe_wanted.set()

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Change the target from the next picture on (any thread)."""
        self._context.bit_rate = bitrate_bps

    def encode(self, frame: VideoFrame, pts: int) -> AccessUnit:
        """Encode one yuv420p picture of the configured size; `pts` in 1/90000 s."""
        from av.video.frame import PictureType

        frame.pts = pts
        frame.time_base = VIDEO_TIME_BASE
        frame.pict_type = PictureType.NONE
        if self._keyframe_wanted.is_set():
            self._keyframe_wanted.clear()
            frame.pict_type = PictureType.I
        packet = self._context.encode(frame)[0]  # zerolatency: one in, one out
        return AccessUnit(bytes(packet), pts, packet.is_keyframe)


class ProcessorShare:
    """Measures the encoding thread's share of a core between its pictures."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, processor: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._processor = processor
        self._began: tuple[float, float] | None = None
        self.value: float | None = None
        """Core-seconds a second over the last COST_WINDOW_S; None before."""

    def picture(self) -> None:
        """Count a picture that the calling thread encoded."""
        now = self._clock(), self._processor()
        if self._began is None:
            self._began = now
        elif (elapsed_s := now[0] - self._began[0]) >= COST_WINDOW_S:
            self.value = round((now[1] - self._began[1]) / elapsed_s, 3)
            self._began = now

    def clear(self) -> None:
        """Forget the measurement: the camera stopped."""
        self._began = self.value = None


def give_way_to_sound() -> None:
    """Lower the calling thread's priority, so that encoding never delays the sound thread.

    One that is lower already stays as it is: only root may raise it.
    """
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
