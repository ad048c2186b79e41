"""WebRTC's audio processing, the backend of the echo canceller, from either of two libraries."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from intercom.media.echo.delay_search import LONG, PACKAGE, new_processor
from intercom.media.errors import MediaError
from intercom.media.sound.format import BLOCK_MS, Samples

log = logging.getLogger(__name__)

CANCELLER_HZ = 16_000
"""Sample rate of every backend."""
CANCELLER_SAMPLES = CANCELLER_HZ * BLOCK_MS // 1000
"""Samples in a block at the backend's rate."""

NOT_THERE = "no echo canceller: install pywebrtc-audio, or set another one"

Frame = Samples


class EchoError(MediaError, ImportError):
    """The library of the chosen canceller is not installed."""


def check_webrtc() -> None:
    """Raise EchoError where WebRTC's package is not installed; it is not loaded, which takes longer."""
    if find_spec(PACKAGE) is None:
        raise EchoError(NOT_THERE)


class Backend(Protocol):
    """A canceller's backend: it processes one or two blocks of 10 ms at 16 kHz at a time."""

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one, which is as long."""

    def reset(self) -> None:
        """Forget the room's echo path."""


class _Unchanged:
    """In place of a backend that cannot be made: a door that is heard with an echo is more than one that is not."""

    def process(self, near: Frame, far: Frame) -> Frame:
        return near

    def reset(self) -> None:
        """Nothing is known of the room."""


class LaterBackend:
    """A backend that is made by `prepare`, while there is time, or else with its first frame."""

    def __init__(self, make: Callable[[], Backend]) -> None:
        self._make = make
        self._made: Backend | None = None
        self._making = threading.Lock()

    def prepare(self) -> Backend:
        """Make the backend, once for all, from any thread; raises EchoError."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one, or as it is where the backend cannot be made."""
        if self._made is not None:
            return self._made.process(near, far)
        try:
            backend: Backend = self.prepare()
        except EchoError as error:
            log.warning("The far end hears itself: %s", error)
            backend = self._made = _Unchanged()
        return backend.process(near, far)

    def reset(self) -> None:
        """Forget the room's echo path."""
        if self._made is not None:
            self._made.reset()


class WebRtcBackend:
    """AEC3 and noise suppression of WebRTC (`pywebrtc-audio`)."""

    def __init__(self, filters: int = LONG) -> None:
        """`filters`: the number of those that look for the echo's delay, where it can be chosen."""
        self._wanted = filters
        self.reset()

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one."""
        cleaned: Frame = self._processor.process(near, far)
        return cleaned

    def reset(self) -> None:
        """Forget the room's echo path."""
        try:
            self._processor, self.filters = new_processor(  # its own `reset` would take the number chosen last
                self._wanted,
                sample_rate=CANCELLER_HZ,
                echo_cancellation=True,
                noise_suppression=True,
                high_pass_filter=True,
            )
        except ImportError as error:
            raise EchoError(f"{NOT_THERE} ({error})") from error


class LiveKitBackend:
    """AEC3 and noise suppression of WebRTC in LiveKit's build (`livekit`)."""

    def __init__(self) -> None:
        self.reset()

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one."""
        cleaned = b""
        for at in range(0, len(near), CANCELLER_SAMPLES):
            reverse, stream = (self._frame(sound[at : at + CANCELLER_SAMPLES]) for sound in (far, near))
            self._module.process_reverse_stream(reverse)
            self._module.process_stream(stream)
            cleaned += bytes(stream.data)
        return np.frombuffer(cleaned, np.int16)

    def _frame(self, samples: Frame) -> Any:
        return self._rtc.AudioFrame(samples.tobytes(), CANCELLER_HZ, 1, len(samples))

    def reset(self) -> None:
        """Forget the room's echo path."""
        try:
            from livekit import rtc  # only where it was chosen
        except ImportError as error:
            raise EchoError("no echo canceller: install livekit, or set another one") from error
        self._rtc = rtc
        self._module = rtc.AudioProcessingModule(
            echo_cancellation=True, noise_suppression=True, high_pass_filter=True, auto_gain_control=False
        )


def open_noise_suppression() -> Callable[[Frame], Frame]:
    """Return WebRTC's noise suppression alone, for one or two blocks of 10 ms at 16 kHz at a time."""
    processor, _ = new_processor(LONG, sample_rate=CANCELLER_HZ, noise_suppression=True, high_pass_filter=True)
    suppress: Callable[[Frame], Frame] = processor.process
    return suppress
