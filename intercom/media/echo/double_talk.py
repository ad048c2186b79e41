"""Passes the visitor's voice while both speak: WebRTC's canceller alone suppresses most of it then.

Beside it runs a linear filter (libspeexdsp), which takes away less of the echo and nothing of the visitor. What it
leaves is sent while two witnesses agree that somebody speaks at the door: what it leaves is loud against the echo, and
WebRTC lets something through as well. Otherwise, and wherever the filter does not hold the echo, WebRTC's is sent,
without what it lets through of the echo. While nothing is played there is no echo, and neither of them runs.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from intercom.media.echo.residual import ResidualSuppressor
from intercom.media.echo.webrtc import CANCELLER_HZ, CANCELLER_SAMPLES, Frame, WebRtcBackend, open_noise_suppression
from intercom.media.sound.format import FULL_SCALE

LIBRARY = "libspeexdsp.so.1"
TAIL_MS = 256
"""Length of the filter: the card's delay and the room's echo; twice the length costs twice as much."""
LATER_SAMPLES = 128
"""Delay of WebRTC's canceller over its noise suppression alone, in samples."""
SMOOTHING = 0.3
"""Smoothing factor of the power measurements, 30 ms: it does not cut the beginning of a syllable."""
ECHO_DECAY = 0.93
"""Decay per block of the remembered echo power: a room's echo dies away as fast and is not taken for a visitor."""
SPEAKS_DB = -10.0
"""Threshold of the residual against the echo above which a visitor speaks; the far end alone leaves less, even at 50
ppm drift or in a stairwell."""
SPEAKS_BEYOND_DB = 9.5
"""Margin over the filter's usual residual that a visitor must exceed too: a distorting speaker's loud syllables stay
within it."""
SPEAKS_SURELY_DB = -4.0
"""Upper limit of that threshold: distortion never leaves half as much as the echo."""
HELD_DB = -13.0
"""Limit of the usual residual below which the filter is trusted: at least a tenth of the blocks leave less of the
echo."""
HELD_DOWN_DB, HELD_UP_DB = 0.1, 0.01
"""Step per block of the usual residual, down and up: it settles where ten blocks leave more for each that leaves
less."""
HEARD_DB = -65.0
"""Level above which WebRTC's output confirms a visitor; of the far end alone it leaves less."""
ECHO_DB = -50.0
"""Echo level above which the judge has an echo to compare with."""
QUIET_DB = -55.0
"""Level below which the far end is silent."""
REST_BLOCKS = 100
"""Time after the far end's last word, in blocks, after which the filter rests to save its cost: a second later the room
holds no echo. When nothing at all was played for as long, WebRTC's canceller rests as well; both keep what they know
of the room."""
HOLD_BLOCKS = 25
"""Hold time after a visitor was heard, in blocks: a quarter of a second bridges the gaps between words."""

Wave = npt.NDArray[np.float32]


class LinearFilter:
    """libspeexdsp's adaptive filter (MDF) alone; OSError when the library is not there."""

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
        self._near[:], self._far[:] = near, far
        self._library.speex_echo_cancellation(self._state, *self._frames)
        left: Frame = self._left.copy()
        return left

    def reset(self) -> None:
        """Forget the room's echo path."""
        self._library.speex_echo_state_reset(self._state)


class TalkThrough:
    """A canceller backend: WebRTC's with the linear filter beside it."""

    def __init__(self, webrtc: WebRtcBackend, linear: LinearFilter) -> None:
        self._webrtc = webrtc
        self._linear = linear
        self._quieten = open_noise_suppression()
        self.reset()

    def reset(self) -> None:
        """Forget the room's echo path."""
        self._webrtc.reset()
        self._linear.reset()
        self._judge = Judge()
        self._residual = ResidualSuppressor()
        self._silent_blocks = self._idle_blocks = 0
        self._share = 0.0
        self._early = np.zeros(LATER_SAMPLES, np.int16)

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one."""
        self._idle_blocks = 0 if far.any() else self._idle_blocks + 1
        rests = self._idle_blocks > REST_BLOCKS
        if rests and self._share:
            self._judge.rest()
            self._residual.rest()
            return self._quietened(near)
        cleaned = self._webrtc.process(near, far)
        self._silent_blocks = 0 if _db(_power(far.astype(np.float32))) > QUIET_DB else self._silent_blocks + 1
        if self._silent_blocks > REST_BLOCKS and not self._share and not rests:
            self._residual.rest()
            self._quietened(near)
            return cleaned
        left = near if rests else self._linear.process(near, far)
        spoken = self._quietened(left)
        before, self._share = self._share, float(rests or self._judge.hears(near, left, cleaned))
        cleaned = self._residual.suppress(cleaned, self._judge.cleaned_db, self._judge.alone_db)
        if before == self._share:
            return spoken if before else cleaned
        fade = np.linspace(before, self._share, CANCELLER_SAMPLES, dtype=np.float32)
        mixed: Frame = (cleaned * (1 - fade) + spoken * fade).astype(np.int16)
        return mixed

    def _quietened(self, left: Frame) -> Frame:
        """Return what is left of the near frame without the street's noise, as late as WebRTC's canceller."""
        ahead: Frame = np.concatenate([self._early, self._quieten(left)])
        self._early = ahead[CANCELLER_SAMPLES:]
        return ahead[:CANCELLER_SAMPLES]


class Judge:
    """Decides whether somebody speaks at the door while the far end does."""

    def __init__(self) -> None:
        self._held_db = 0.0
        self.rest()
        self.cleaned_db = 0.0
        """Level of WebRTC's output in the last block, dB full scale."""
        self.alone_db: float | None = None
        """Residual of the filter against the echo in dB; None without an echo, or while a visitor speaks."""

    def rest(self) -> None:
        """Forget what was heard last, and keep how well the filter holds the echo: nothing is played."""
        self._left = self._echo = self._cleaned = self._echo_dying = 0.0
        self._hold = 0

    def hears(self, near: Frame, left: Frame, cleaned: Frame) -> bool:
        """Return whether a visitor speaks, judged from the near frame, the filter's residual and WebRTC's output."""
        echo = near.astype(np.float32) - left
        self._left += SMOOTHING * (_power(left.astype(np.float32)) - self._left)
        self._echo += SMOOTHING * (_power(echo) - self._echo)
        cleaned_power = _power(cleaned.astype(np.float32))
        self._cleaned += SMOOTHING * (cleaned_power - self._cleaned)
        self._echo_dying = max(self._echo, self._echo_dying * ECHO_DECAY)
        left_db = _db(self._left) - _db(self._echo_dying)
        if _db(self._echo) > ECHO_DB:
            self._held_db += HELD_UP_DB if left_db > self._held_db else -HELD_DOWN_DB
        echoes = _db(self._echo_dying) > ECHO_DB
        trusted = self._held_db < HELD_DB and echoes
        speaks_db = min(max(SPEAKS_DB, self._held_db + SPEAKS_BEYOND_DB), SPEAKS_SURELY_DB)
        if trusted and left_db > speaks_db and _db(self._cleaned) > HEARD_DB:
            self._hold = HOLD_BLOCKS
        else:
            self._hold = max(0, self._hold - 1)
        self.cleaned_db = _db(cleaned_power)
        self.alone_db = left_db if echoes and not self._hold else None
        return self._hold > 0


def _power(wave: Wave) -> float:
    return float(np.dot(wave, wave)) / len(wave) / FULL_SCALE**2


def _db(power: float) -> float:
    return 10 * math.log10(max(power, 1e-12))
