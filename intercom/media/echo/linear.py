"""The adaptive linear filter beside WebRTC's canceller: it takes the predicted echo away, and nothing of the visitor.

It is compiled (`native/mdf.c`), and follows libspeexdsp's filter to a step of a sample. Where the compiled module is
missing libspeexdsp's own takes its place, for eight times the instructions.
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

import numpy as np

from intercom.media.echo.webrtc import CANCELLER_HZ, CANCELLER_SAMPLES, Frame
from intercom.media.native import module

LIBRARY = "libspeexdsp.so.1"
TAIL_MS = 256
"""Length of the filter: the card's delay and the room's echo; twice the length costs twice as much. The compiled one
has the same in `native/mdf.h`."""


class LinearFilter(Protocol):
    """An adaptive linear filter; frames are whole blocks of CANCELLER_SAMPLES."""

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo that the filter predicts from the far one."""
        ...

    def reset(self) -> None:
        """Forget the room's echo path."""
        ...


def open_linear_filter() -> LinearFilter:
    """Open the compiled filter, or else libspeexdsp's; OSError where neither is there."""
    return CompiledFilter() if module.is_there() else SpeexFilter()


class CompiledFilter:
    """The filter of the compiled module, which has to be there."""

    def __init__(self) -> None:
        from intercom.media.native._native import LinearFilter as Compiled

        self._filter = Compiled()

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo that the filter predicts from the far one."""
        left: Frame = np.empty(len(near), np.int16)
        self._filter.process(near, far, left)
        return left

    def reset(self) -> None:
        """Forget the room's echo path."""
        self._filter.reset()


class SpeexFilter:
    """libspeexdsp's adaptive filter alone; OSError when the library is not there."""

    def __init__(self) -> None:
        try:
            self._library: Any = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise OSError(f"{error}; install it with `sudo apt install libspeexdsp1`") from error
        self._library.speex_echo_state_init.restype = ctypes.c_void_p
        self._library.speex_echo_cancellation.argtypes = [ctypes.c_void_p] * 4
        tail = CANCELLER_HZ * TAIL_MS // 1000
        self._state = ctypes.c_void_p(self._library.speex_echo_state_init(CANCELLER_SAMPLES, tail))
        rate = ctypes.c_int(CANCELLER_HZ)
        self._library.speex_echo_ctl(self._state, 24, ctypes.byref(rate))  # SPEEX_ECHO_SET_SAMPLING_RATE
        self._near, self._far, self._left = np.zeros((3, CANCELLER_SAMPLES), np.int16)
        self._frames = [frame.ctypes.data for frame in (self._near, self._far, self._left)]  # asking costs 2 us each

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.speex_echo_state_destroy(self._state)

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo that the filter predicts from the far one."""
        left: Frame = np.empty(len(near), np.int16)
        for at in range(0, len(near), CANCELLER_SAMPLES):
            block = slice(at, at + CANCELLER_SAMPLES)
            self._near[:], self._far[:] = near[block], far[block]
            self._library.speex_echo_cancellation(self._state, *self._frames)
            left[block] = self._left
        return left

    def reset(self) -> None:
        """Forget the room's echo path."""
        self._library.speex_echo_state_reset(self._state)
