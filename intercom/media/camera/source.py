"""The interface of every picture source, and the clock for their presentation times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from intercom.media.codec.h264 import VIDEO_CLOCK_HZ, AccessUnit
from intercom.media.errors import MediaError

Deliver = Callable[[AccessUnit], None]

MAX_SKEW_S = 0.5
"""Largest distance of a device's time stamp from its arrival; beyond it a new time line began (driver restart, clock
step)."""


class CameraError(MediaError, OSError):
    """A camera cannot be used; the message says what happened and what to do."""


class CameraSource(Protocol):
    """One way to get H.264 pictures: a Pi camera, a V4L2 device, the test pattern.

    `run` belongs to one thread; everything else may be called from any thread at any time.
    """

    @property
    def name(self) -> str:
        """Value of `camera.source` that chooses this source."""

    @property
    def description(self) -> str:
        """Description of the source, in words, with size, rate, encoder and its cost."""

    @property
    def bitrate_bps(self) -> int:
        """The highest bit rate that the configuration and the source allow, bits a second."""

    @property
    def processor_share(self) -> float | None:
        """Core-seconds a second that its pictures cost this machine; None where the camera encodes by itself."""

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        """Capture until `stopping` is set and deliver each access unit; release the device at the end.

        Raises CameraError if the camera cannot be opened or goes away.
        """

    def request_keyframe(self) -> None:
        """Make one of the next pictures an IDR; a source that cannot ignores this."""

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Set the target bit rate in bits a second; a source that cannot ignores this."""

    def snapshot(self) -> bytes:
        """Return the newest picture as JPEG; raises CameraError if there is none."""


class VideoClock:
    """Gives pictures presentation times in 1/90000 s that keep growing across restarts of a device.

    Devices stamp pictures on time lines of their own. The first picture ties the device's line to ours; the
    device's own spacing is kept from there on, until it strays by more than MAX_SKEW_S.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset_s: float | None = None
        self._last = -1

    def pts(self, device_time_s: float | None = None) -> int:
        """Return the presentation time of a picture that arrived now with the device's stamp `device_time_s`."""
        now = self._clock()
        time_s = now
        if device_time_s is not None:
            if self._offset_s is None or abs(device_time_s + self._offset_s - now) > MAX_SKEW_S:
                self._offset_s = now - device_time_s
            time_s = device_time_s + self._offset_s
        self._last = max(self._last + 1, round(time_s * VIDEO_CLOCK_HZ))
        return self._last
