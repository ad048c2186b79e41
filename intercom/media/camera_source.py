"""What every picture source offers, and the clock that their pictures share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from intercom.media.errors import MediaError
from intercom.media.h264 import VIDEO_CLOCK_HZ, AccessUnit

Deliver = Callable[[AccessUnit], None]

MAX_SKEW_S = 0.5  # a device time this far from its arrival is a new time line (driver restart, clock step)


class CameraError(MediaError, OSError):
    """A camera cannot be used; the message says what happened and what to do."""


class CameraSource(Protocol):
    """One way to get H.264 pictures: a Pi camera, a V4L2 device, the test pattern.

    `run` belongs to one thread; everything else may be called from any thread at any time.
    """

    @property
    def name(self) -> str:
        """The value of `camera.source` that chooses it."""

    @property
    def description(self) -> str:
        """What the source is, in words, with size, rate, encoder and its cost."""

    @property
    def bitrate_bps(self) -> int:
        """The highest bit rate that the configuration and the source allow, bits a second."""

    @property
    def processor_share(self) -> float | None:
        """Core-seconds a second that its pictures take of this machine; None where the camera encodes them itself."""

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        """Capture until `stopping` is set, handing over each access unit; free the device on the way out.

        Raises CameraError if the camera cannot be opened or goes away.
        """

    def request_keyframe(self) -> None:
        """Make one of the next pictures an IDR; a source that cannot does nothing."""

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Aim at this many bits per second from now on; a source that cannot does nothing."""

    def snapshot(self) -> bytes:
        """Return the newest picture as JPEG; raises CameraError if there is none."""


class VideoClock:
    """Gives pictures their presentation times in 1/90000 s, growing across restarts of a device.

    Devices stamp pictures on time lines of their own. The first picture ties the device's line to ours; the
    device's own spacing is kept from there on, until it strays by more than MAX_SKEW_S.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset_s: float | None = None
        self._last = -1

    def pts(self, device_time_s: float | None = None) -> int:
        """Return the time of a picture that arrived now and that the device stamped `device_time_s`."""
        now = self._clock()
        time_s = now
        if device_time_s is not None:
            if self._offset_s is None or abs(device_time_s + self._offset_s - now) > MAX_SKEW_S:
                self._offset_s = now - device_time_s
            time_s = device_time_s + self._offset_s
        self._last = max(self._last + 1, round(time_s * VIDEO_CLOCK_HZ))
        return self._last
