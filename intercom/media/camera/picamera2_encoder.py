"""Runs our own H.264 encoder inside picamera2, for a Pi without a hardware encoder (the Pi 5).

picamera2's own one in software makes a keyframe on request in a way that PyAV 17 and later refuse (seen with picamera2
0.3.38: the picture then stands still), and it keeps the bit rate that it began with.
"""

from __future__ import annotations

import importlib
from typing import Any

from intercom.media.camera.encoder import SoftwareEncoder, VideoFormat, give_way_to_sound
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ

FFMPEG_FORMATS = {"YUV420": "yuv420p", "BGR888": "rgb24"}
"""FFmpeg's names of picamera2's pixel formats: picamera2 lists the bytes from last to first, FFmpeg from first to
last."""


def make_software_encoder(video: VideoFormat) -> Any:
    """Return a picamera2 encoder for this format, with `force_key_frame()` and `set_bitrate(bits a second)`."""
    picamera2 = importlib.import_module("picamera2")
    encoders = importlib.import_module("picamera2.encoders")

    class Encoder(encoders.Encoder):  # type: ignore[misc, name-defined]  # exists on a Pi only
        """Encodes on picamera2's own thread, one picture at a time."""

        def __init__(self) -> None:
            super().__init__()
            self._x264 = SoftwareEncoder(video)
            self._gives_way = False

        def force_key_frame(self) -> None:
            """Make the next picture an IDR (any thread)."""
            self._x264.request_keyframe()

        def set_bitrate(self, bitrate_bps: int) -> None:
            """Set the target bit rate from the next picture on (any thread)."""
            self._x264.set_bitrate(bitrate_bps)

        def _encode(self, stream: Any, request: Any) -> None:
            """Encode one picture and output its access unit; picamera2 calls this method of every encoder."""
            from av import VideoFrame

            if not self._gives_way:
                give_way_to_sound()
                self._gives_way = True
            stamp_us = request.get_metadata()["SensorTimestamp"] // 1000
            with picamera2.MappedArray(request, stream) as picture:
                frame = VideoFrame.from_numpy_buffer(picture.array, FFMPEG_FORMATS[self.format], width=video.width)
                unit = self._x264.encode(frame.reformat(format="yuv420p"), stamp_us * VIDEO_CLOCK_HZ // 1_000_000)
            self.outputframe(unit.data, unit.keyframe, stamp_us)

    return Encoder()
