"""Debian's libspeexdsp as a canceller to measure beside: its echo canceller, residual suppression and denoiser."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np

from intercom.media.echo.webrtc import CANCELLER_HZ, CANCELLER_SAMPLES, Frame

TAIL_MS = 300
"""The delay and the room: its filter must span both."""
_SET_SAMPLING_RATE = 24
_SET_ECHO_STATE = 24


class SpeexBackend:
    """The same interface as the door's own backends; OSError when the library is not there."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("speexdsp")
        if name is None:
            raise OSError("no libspeexdsp: apt-get install libspeexdsp1")
        self._library = ctypes.CDLL(name)
        self._library.speex_echo_state_init.restype = ctypes.c_void_p
        self._library.speex_preprocess_state_init.restype = ctypes.c_void_p
        self.reset()

    def reset(self) -> None:
        """Begin anew; what was before is left to the end of the bench."""
        library, rate = self._library, ctypes.c_int(CANCELLER_HZ)
        tail = CANCELLER_HZ * TAIL_MS // 1000
        self._echo = ctypes.c_void_p(library.speex_echo_state_init(CANCELLER_SAMPLES, tail))
        library.speex_echo_ctl(self._echo, _SET_SAMPLING_RATE, ctypes.byref(rate))
        self._after = ctypes.c_void_p(library.speex_preprocess_state_init(CANCELLER_SAMPLES, CANCELLER_HZ))
        library.speex_preprocess_ctl(self._after, _SET_ECHO_STATE, self._echo)

    def process(self, near: Frame, far: Frame) -> Frame:
        """The near frame without the echo of the far one."""
        near, far, cleaned = np.ascontiguousarray(near), np.ascontiguousarray(far), np.empty_like(near)
        for at in range(0, len(near), CANCELLER_SAMPLES):
            pointers = [ctypes.c_void_p(frame[at:].ctypes.data) for frame in (near, far, cleaned)]
            self._library.speex_echo_cancellation(self._echo, *pointers)
            self._library.speex_preprocess_run(self._after, pointers[2])
        return cleaned
