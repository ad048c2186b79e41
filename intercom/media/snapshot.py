"""One still picture as JPEG."""

from __future__ import annotations

import threading
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

JPEG_QSCALE = 4  # of 2 (best) to 31: faces without blocks, 1280x720 in about 100 kB


def jpeg(frame: VideoFrame) -> bytes:
    """Encode a picture of any pixel format as JPEG (JFIF, 4:2:0)."""
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


class LatestFrame:
    """Holds the newest picture of a source, handed from its thread to whoever asks for a still."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: VideoFrame | None = None

    def put(self, frame: VideoFrame | None) -> None:
        """Replace the picture; None when the camera stops, so that no old picture is shown as new."""
        with self._lock:
            self._frame = frame

    def get(self) -> VideoFrame | None:
        """Return the newest picture, or None."""
        with self._lock:
            return self._frame
