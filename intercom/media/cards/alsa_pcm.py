"""One direction of a card through ALSA's library, without the interpreter's lock.

A USB card whose control pipe hangs holds each open, and each close, for 5 to 15 s. pyalsaaudio keeps the lock
meanwhile, so that the button, the lights, the call and the watchdog would all stand still; `ctypes` gives it away for
every call.
"""

from __future__ import annotations

import ctypes
import errno
import functools
from typing import Any

import alsaaudio

from intercom.media.events import Direction

PLAYBACK, CAPTURE = 0, 1
NONBLOCK = 1
ACCESS_RW_INTERLEAVED = 3
FORMAT_S16_LE = 2
STATE_SETUP = 1
READ_PERIODS = 16
"""Limit of what is read at once, in periods, for the time after a stall: a sound server's buffer may hold seconds."""

_pcm, _params, _number = ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint)
_frames = ctypes.POINTER(ctypes.c_ulong)
_way = ctypes.POINTER(ctypes.c_int)
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "snd_pcm_open": (ctypes.c_int, ctypes.POINTER(_pcm), ctypes.c_char_p, ctypes.c_int, ctypes.c_int),
    "snd_pcm_close": (ctypes.c_int, _pcm),
    "snd_pcm_drop": (ctypes.c_int, _pcm),
    "snd_pcm_prepare": (ctypes.c_int, _pcm),
    "snd_pcm_state": (ctypes.c_int, _pcm),
    "snd_pcm_avail": (ctypes.c_long, _pcm),
    "snd_pcm_readi": (ctypes.c_long, _pcm, ctypes.c_void_p, ctypes.c_ulong),
    "snd_pcm_writei": (ctypes.c_long, _pcm, ctypes.c_char_p, ctypes.c_ulong),
    "snd_pcm_hw_params_malloc": (ctypes.c_int, ctypes.POINTER(_params)),
    "snd_pcm_hw_params_free": (None, _params),
    "snd_pcm_hw_params_any": (ctypes.c_int, _pcm, _params),
    "snd_pcm_hw_params_set_access": (ctypes.c_int, _pcm, _params, ctypes.c_int),
    "snd_pcm_hw_params_set_format": (ctypes.c_int, _pcm, _params, ctypes.c_int),
    "snd_pcm_hw_params_set_channels": (ctypes.c_int, _pcm, _params, ctypes.c_uint),
    "snd_pcm_hw_params_set_rate_near": (ctypes.c_int, _pcm, _params, _number, _way),
    "snd_pcm_hw_params_set_period_size_near": (ctypes.c_int, _pcm, _params, _frames, _way),
    "snd_pcm_hw_params_set_periods_near": (ctypes.c_int, _pcm, _params, _number, _way),
    "snd_pcm_hw_params": (ctypes.c_int, _pcm, _params),
    "snd_pcm_hw_params_get_format": (ctypes.c_int, _params, _way),
    "snd_pcm_hw_params_get_channels": (ctypes.c_int, _params, _number),
    "snd_pcm_hw_params_get_rate": (ctypes.c_int, _params, _number, _way),
    "snd_pcm_hw_params_get_period_size": (ctypes.c_int, _params, _frames, _way),
    "snd_pcm_hw_params_get_buffer_size": (ctypes.c_int, _params, _frames),
    "snd_pcm_frames_to_bytes": (ctypes.c_ssize_t, _pcm, ctypes.c_long),
    "snd_strerror": (ctypes.c_char_p, ctypes.c_int),
}
"""Signatures of the functions used from alsa/pcm.h: the result, then the arguments."""


class AlsaPcm:
    """A PCM that never blocks, of S16 samples if it can; `info()` returns the hardware parameters that ALSA chose.

    The constructor raises `alsaaudio.ALSAAudioError` with ALSA's words, and so does everything else but an xrun. One
    thread at a time.
    """

    def __init__(self, direction: Direction, name: str, *, rate: int, channels: int, period: int, periods: int) -> None:
        self._library = _library()
        self._name = name
        self._handle: ctypes.c_void_p | None = None
        handle = ctypes.c_void_p()
        kind = CAPTURE if direction == "capture" else PLAYBACK
        self._check(self._library.snd_pcm_open(ctypes.byref(handle), name.encode(), kind, NONBLOCK))
        self._handle = handle
        try:
            self._info = self._set_up(rate, channels, period, periods)
        except alsaaudio.ALSAAudioError:
            self.close()
            raise
        # As ALSA counts them: a card with samples of 32 bits fills a block for 16 and what lies behind it.
        self._frame_bytes = int(self._library.snd_pcm_frames_to_bytes(handle, 1))
        self._most = min(self._info["buffer_size"], READ_PERIODS * self._info["period_size"])
        self._sound = ctypes.create_string_buffer(self._most * self._frame_bytes)

    def _set_up(self, rate: int, channels: int, period: int, periods: int) -> dict[str, int]:
        library, pcm, params = self._library, self._handle, ctypes.c_void_p()
        number, frames, way = ctypes.c_uint(), ctypes.c_ulong(), ctypes.c_int()
        self._check(library.snd_pcm_hw_params_malloc(ctypes.byref(params)))
        try:
            self._check(library.snd_pcm_hw_params_any(pcm, params))
            # A wish that the card refuses is seen in what it has at last.
            library.snd_pcm_hw_params_set_access(pcm, params, ACCESS_RW_INTERLEAVED)
            library.snd_pcm_hw_params_set_format(pcm, params, FORMAT_S16_LE)
            library.snd_pcm_hw_params_set_channels(pcm, params, channels)
            library.snd_pcm_hw_params_set_rate_near(pcm, params, ctypes.c_uint(rate), way)
            library.snd_pcm_hw_params_set_period_size_near(pcm, params, ctypes.c_ulong(period), way)
            library.snd_pcm_hw_params_set_periods_near(pcm, params, ctypes.c_uint(periods), way)
            self._check(library.snd_pcm_hw_params(pcm, params))
            found = {}
            self._check(library.snd_pcm_hw_params_get_format(params, way))
            found["format"] = way.value
            self._check(library.snd_pcm_hw_params_get_rate(params, number, way))
            found["rate"] = number.value
            self._check(library.snd_pcm_hw_params_get_channels(params, number))
            found["channels"] = number.value
            self._check(library.snd_pcm_hw_params_get_period_size(params, frames, way))
            found["period_size"] = frames.value
            self._check(library.snd_pcm_hw_params_get_buffer_size(params, frames))
            found["buffer_size"] = frames.value
        finally:
            library.snd_pcm_hw_params_free(params)
        return found

    def info(self) -> dict[str, int]:
        """Return the PCM's rate, channels and format, and in frames its period_size and buffer_size."""
        return self._info

    def state(self) -> int:
        """Return ALSA's snd_pcm_state_t."""
        return int(self._library.snd_pcm_state(self._open()))

    def avail(self) -> int:
        """Return the frames that can be read or written now, or a negative errno."""
        return int(self._library.snd_pcm_avail(self._open()))

    def read(self) -> tuple[int, bytes]:
        """Read what is there; (0, b"") when nothing is recorded yet, (-32, b"") after an xrun."""
        frames = self._move(self._library.snd_pcm_readi, self._sound, self._most)
        return frames, ctypes.string_at(self._sound, frames * self._frame_bytes) if frames > 0 else b""

    def write(self, data: bytes, /) -> int:
        """Write samples and return the frames taken; 0 when the buffer is full, -32 after an xrun."""
        return self._move(self._library.snd_pcm_writei, data, len(data) // self._frame_bytes)

    def _move(self, move: Any, data: Any, frames: int) -> int:
        pcm = self._open()
        if self._library.snd_pcm_state(pcm) == STATE_SETUP:  # after a drop
            self._check(self._library.snd_pcm_prepare(pcm))
        moved = int(move(pcm, data, frames))
        if moved == -errno.EAGAIN:
            return 0
        if moved == -errno.EPIPE:
            self._check(self._library.snd_pcm_prepare(pcm))
            return moved
        return self._check(moved)

    def drop(self) -> int:
        """Stop at once and discard the queued sound."""
        return self._check(self._library.snd_pcm_drop(self._open()))

    def close(self) -> None:
        """Close the device; harmless when it is closed."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.snd_pcm_close(handle)

    def _open(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise alsaaudio.ALSAAudioError(f"PCM device is closed [{self._name}]")
        return self._handle

    def _check(self, result: int) -> int:
        if result < 0:
            said = self._library.snd_strerror(result).decode(errors="replace")
            raise alsaaudio.ALSAAudioError(f"{said} [{self._name}]")
        return result


@functools.cache
def _library() -> Any:
    """Return ALSA's library, which pyalsaaudio has loaded already."""
    library = ctypes.CDLL("libasound.so.2")
    for name, (result, *arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
