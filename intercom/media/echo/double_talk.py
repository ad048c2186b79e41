"""Passes the visitor's voice while both speak: WebRTC's canceller alone suppresses most of it then.

Beside it runs a linear filter (`linear.py`), which takes away less of the echo and nothing of the visitor. What it
leaves is sent while two witnesses agree that somebody speaks at the door: what it leaves is loud against the echo, and
WebRTC lets something through as well; or it leaves more than usual, and WebRTC lets through much more than usual, which
is the only sign of a visitor beside a loud box. Otherwise, and wherever the filter does not hold the echo, WebRTC's is
sent, without what it lets through of the echo. While nothing is played there is no echo, and neither of them runs.
"""

from __future__ import annotations

import numpy as np

from intercom.media.echo.linear import LinearFilter
from intercom.media.echo.passage import mixed, open_passage
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Backend, Frame, open_noise_suppression
from intercom.media.sound.energy import energy, peak
from intercom.media.sound.format import FULL_SCALE

LATER_SAMPLES = 128
"""Delay of WebRTC's canceller over its noise suppression alone, in samples."""
QUIET_POWER = 10 ** (-55 / 10) * FULL_SCALE**2
"""Power below which the far end is silent, -55 dB."""
REST_BLOCKS = 100
"""Time after the far end's last word, in blocks, after which the filter rests to save its cost: a second later the room
holds no echo. When nothing at all was played for as long, WebRTC's canceller rests as well; both keep what they know
of the room."""
CLIPPED = 32_000
"""Sample from which on the microphone is clipped, by a converter or by the filter before the canceller."""


class TalkThrough:
    """A canceller backend: WebRTC's with the linear filter beside it."""

    def __init__(self, webrtc: Backend, linear: LinearFilter) -> None:
        self._webrtc = webrtc
        self._linear = linear
        self._quieten = open_noise_suppression()
        self.reset()

    def reset(self) -> None:
        """Forget the room's echo path."""
        self._webrtc.reset()
        self._linear.reset()
        self._passage = open_passage()
        self._silent_blocks = self._idle_blocks = 0
        self._share = 0.0
        self._early: Frame = np.zeros(LATER_SAMPLES, np.int16)

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one."""
        blocks = len(near) // CANCELLER_SAMPLES
        self._idle_blocks = 0 if peak(far) else self._idle_blocks + blocks
        rests = self._idle_blocks > REST_BLOCKS
        if rests and self._share:
            self._passage.rest()
            return self._quietened(near)
        cleaned = self._webrtc.process(near, far)
        is_quiet = energy(far) <= QUIET_POWER * len(far)
        self._silent_blocks = self._silent_blocks + blocks if is_quiet else 0
        if rests:
            self._share = 1.0
            return mixed(cleaned, self._quietened(near), [0.0, *[1.0] * blocks])
        if self._silent_blocks > REST_BLOCKS and not self._share:
            self._passage.forget_the_background()
            self._quietened(near)
            return cleaned
        left = self._left_of(near, far)
        sent, self._share = self._passage.sent(near, left, cleaned, self._quietened(left), self._share)
        return sent

    def _left_of(self, near: Frame, far: Frame) -> Frame:
        """Return what the filter leaves of the near frame, and silence where the microphone was clipped.

        There it leaves what was cut off, which may be louder than the visitor.
        """
        left = self._linear.process(near, far)
        if peak(near) < CLIPPED:
            return left
        silent: Frame = np.where((near < CLIPPED) & (near > -CLIPPED), left, np.int16(0))
        return silent

    def _quietened(self, left: Frame) -> Frame:
        """Return what is left of the near frame without the street's noise, as late as WebRTC's canceller."""
        ahead: Frame = np.concatenate([self._early, self._quieten(left)])
        self._early = ahead[len(left) :]
        return ahead[: len(left)]
