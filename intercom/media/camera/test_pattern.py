"""The test pattern: a picture that shows whether it moves, how late it is and whether the colours are right.

Colour bars, a block that crosses the picture every four seconds, and the time of day in seven-segment digits
with hundredths, drawn into yuv420p planes with numpy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intercom.media.camera.encoder import ProcessorShare, SoftwareEncoder, VideoFormat, give_way_to_sound
from intercom.media.camera.snapshot import LatestFrame
from intercom.media.camera.source import Deliver, VideoClock

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Plane = NDArray[np.uint8]

SWEEP_S = 4.0
"""Time in which the moving mark crosses the picture."""
_BLACK_Y, _WHITE_Y, _GREY_UV = 16, 235, 128
"""Colours in limited range (ITU-R BT.601)."""
_BARS = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)
"""Y, U, V of the 75 % bars white, yellow, cyan, green, magenta, red, blue (ITU-R BT.601, limited range)."""
_SEGMENTS = {
    "0": "1110111",
    "1": "0010010",
    "2": "1011101",
    "3": "1011011",
    "4": "0111010",
    "5": "1101011",
    "6": "1101111",
    "7": "1010010",
    "8": "1111111",
    "9": "1111011",
}
"""Lit segments of each digit: top, top left, top right, middle, bottom left, bottom right, bottom."""


class TestPattern:
    """Draws the pattern of one size."""

    __test__ = False  # the name says what it is; it is no test case

    def __init__(self, width: int, height: int) -> None:
        from av import VideoFrame  # heavy: only once somebody looks; of the package, which other threads load too

        self.width, self.height = width, height
        self._background = VideoFrame(width, height, "yuv420p")
        luma, blue, red = self._planes(self._background)
        self._unit = max(2, height // 90)  # the width of a stroke
        for index, (y, u, v) in enumerate(_BARS):
            left, right = (width * index // 7) // 2, (width * (index + 1) // 7) // 2
            luma[:, left * 2 : right * 2] = y
            blue[:, left:right] = u
            red[:, left:right] = v
        luma[:, right * 2 :] = _BLACK_Y
        top, bottom = (height * 2 // 3) & ~1, height
        luma[top:bottom] = _BLACK_Y
        for plane in (blue, red):
            plane[top // 2 : bottom // 2] = _GREY_UV
        self._bytes = [bytes(plane) for plane in self._background.planes]

    def draw(self, moment: datetime) -> VideoFrame:
        """Return the picture of this moment in yuv420p."""
        from av import VideoFrame

        frame = VideoFrame(self.width, self.height, "yuv420p")
        for plane, content in zip(frame.planes, self._bytes, strict=True):
            plane.update(content)
        luma, blue, red = self._planes(frame)
        self._draw_block(luma, blue, red, moment)
        self._draw_time(luma, moment)
        return frame

    @staticmethod
    def _planes(frame: VideoFrame) -> list[Plane]:
        sizes = [(frame.width, frame.height)] + [(frame.width // 2, frame.height // 2)] * 2
        return [
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]
            for plane, (width, height) in zip(frame.planes, sizes, strict=True)
        ]

    def _draw_block(self, luma: Plane, blue: Plane, red: Plane, moment: datetime) -> None:
        side = (self.height // 8) & ~1
        phase = (moment.timestamp() % SWEEP_S) / SWEEP_S
        left = int((self.width - side) * phase) & ~1
        top = (self.height // 4) & ~1
        luma[top : top + side, left : left + side] = _WHITE_Y
        for plane in (blue, red):
            plane[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = _GREY_UV

    def _draw_time(self, luma: Plane, moment: datetime) -> None:
        text = f"{moment:%H:%M:%S}.{moment.microsecond // 10_000:02d}"
        stroke = self._unit
        wide, high = stroke * 6, stroke * 12
        left = (self.width - len(text) * (wide + stroke * 2)) // 2
        top = self.height * 5 // 6 - high // 2
        for character in text:
            area = luma[top : top + high, left : left + wide]
            if character in _SEGMENTS:
                self._draw_digit(area, _SEGMENTS[character], stroke)
            else:
                middle = (wide - stroke) // 2
                area[high - stroke :, middle : middle + stroke] = _WHITE_Y
                if character == ":":
                    area[high // 3 : high // 3 + stroke, middle : middle + stroke] = _WHITE_Y
            left += wide + stroke * 2

    @staticmethod
    def _draw_digit(area: Plane, lit: str, stroke: int) -> None:
        high, wide = area.shape
        half = high // 2
        segments = (
            (slice(0, stroke), slice(0, wide)),
            (slice(0, half), slice(0, stroke)),
            (slice(0, half), slice(wide - stroke, wide)),
            (slice(half - stroke // 2, half - stroke // 2 + stroke), slice(0, wide)),
            (slice(half, high), slice(0, stroke)),
            (slice(half, high), slice(wide - stroke, wide)),
            (slice(high - stroke, high), slice(0, wide)),
        )
        for rows_columns, on in zip(segments, lit, strict=True):
            if on == "1":
                area[rows_columns] = _WHITE_Y


class PatternSource:
    """The test pattern as a camera, encoded in software."""

    name = "pattern"

    def __init__(
        self,
        video: VideoFormat,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._video = video
        self._clock = clock
        self._now = now
        self._times = VideoClock(clock)
        self._encoder: SoftwareEncoder | None = None
        self._latest = LatestFrame()
        self._share = ProcessorShare()

    @property
    def description(self) -> str:
        return f"test pattern with the time, {self._video}, H.264 in software"

    @property
    def bitrate_bps(self) -> int:
        return self._video.bitrate_bps

    @property
    def processor_share(self) -> float | None:
        return self._share.value

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        give_way_to_sound()
        encoder = self._encoder = SoftwareEncoder(self._video)
        pattern = TestPattern(self._video.width, self._video.height)
        period_s = 1 / self._video.frame_rate
        due = self._clock()
        try:
            while not stopping.wait(max(0.0, due - self._clock())):
                frame = pattern.draw(self._now())
                self._latest.put(frame)
                deliver(encoder.encode(frame, self._times.pts()))
                self._share.picture()
                due = max(due + period_s, self._clock() - period_s)  # a late picture is not made up for
        finally:
            self._encoder = None
            self._latest.put(None)
            self._share.clear()

    def request_keyframe(self) -> None:
        if (encoder := self._encoder) is not None:
            encoder.request_keyframe()  # else its first picture is one

    def set_bitrate(self, bitrate_bps: int) -> None:
        if (encoder := self._encoder) is not None:
            encoder.set_bitrate(bitrate_bps)

    def snapshot(self) -> bytes:
        return self._latest.jpeg()
