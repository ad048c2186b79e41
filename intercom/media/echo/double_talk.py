"""Passes the visitor's voice while both speak: WebRTC's canceller alone suppresses most of it then.

Beside it runs a linear filter (`linear.py`), which takes away less of the echo and nothing of the visitor. What it
leaves is sent while two witnesses agree that somebody speaks at the door: what it leaves is loud against the echo, and
WebRTC lets something through as well; or it leaves more than usual, and WebRTC lets through much more than usual, which
is the only sign of a visitor beside a loud box. Otherwise, and wherever the filter does not hold the echo, WebRTC's is
sent, without what it lets through of the echo. While nothing is played there is no echo, and neither of them runs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intercom.media.echo.linear import LinearFilter
from intercom.media.echo.residual import ResidualSuppressor, fade
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Backend, Frame, open_noise_suppression
from intercom.media.sound.energy import echo_energies, energy, peak
from intercom.media.sound.format import FULL_SCALE

FULL_POWER = CANCELLER_SAMPLES * FULL_SCALE**2
"""Energy of a block at full scale."""
LEAST_POWER, LEAST_DB = 1e-12, -120.0
"""Power below which nothing is told apart."""
LATER_SAMPLES = 128
"""Delay of WebRTC's canceller over its noise suppression alone, in samples."""
SMOOTHING = 0.3
"""Smoothing factor of the power measurements, 30 ms: it does not cut the beginning of a syllable."""
ECHO_DECAY = 0.93
"""Decay per block of the remembered echo power: a room's echo dies away as fast and is not taken for a visitor."""
SPEAKS_DB = -10.0
"""Threshold of the residual against the echo above which a visitor speaks; the far end alone leaves less, even at 50
ppm drift or in a stairwell."""
SPEAKS_BEYOND_DB = 12.5
"""Margin over the filter's usual residual that a visitor must exceed too: a distorting speaker's loud syllables stay
within it."""
SPEAKS_SURELY_DB = -3.0
"""Upper limit of that threshold: distortion never leaves half as much as the echo."""
HELD_DB = -13.0
"""Limit of the usual residual below which the filter is trusted: at least a tenth of the blocks leave less of the
echo."""
HELD_DOWN_DB, HELD_UP_DB = 0.1, 0.01
"""Step per block of the usual residual, down and up: it settles where ten blocks leave more for each that leaves
less."""
HELD_LEAST_DB = -40.0
"""Lower limit of the usual residual: a speaker that begins to distort is taken for a visitor until it has come up
again, by 1 dB a second."""
HEARD_DB = -65.0
"""Level above which WebRTC's output confirms a visitor; of the far end alone it leaves less."""
ECHO_DB, ECHO_POWER = -50.0, 1e-5
"""Echo level above which the judge has an echo to compare with."""
QUIET_POWER = 10 ** (-55 / 10) * FULL_SCALE**2
"""Power below which the far end is silent, -55 dB."""
REST_BLOCKS = 100
"""Time after the far end's last word, in blocks, after which the filter rests to save its cost: a second later the room
holds no echo. When nothing at all was played for as long, WebRTC's canceller rests as well; both keep what they know
of the room."""
CLIPPED = 32_000
"""Sample from which on the microphone is clipped, by a converter or by the filter before the canceller."""
HOLD_BLOCKS = 25
"""Hold time after a visitor was heard, in blocks: a quarter of a second bridges the gaps between words."""
SURELY_HOLD_BLOCKS = 150
"""Hold time after WebRTC let a visitor through: beside a loud box that is a syllable now and then."""
LOUD_HOLD_BLOCKS = 500
"""The same beside a loud echo, where that is rarer."""
LEARNT_DB = -16.0
"""Limit of the filter's residual against a loud echo for that: it is heard as long, and so has to be soft. It is not
after a jump of the echo, or with two clocks."""
LET_THROUGH_BEYOND_DB = 11.0
"""Margin of WebRTC's output over its usual peaks that only a visitor exceeds."""
LET_THROUGH_UP_DB, LET_THROUGH_DOWN_DB = 0.5, 0.01
"""Step per block of those peaks, up and down: they settle where fifty blocks let less through for each that lets
more."""
LET_THROUGH_LEAST_DB = -45.0
"""Lower limit of those peaks: after a minute in which nothing came through, a little of the echo would be a visitor."""
LEFT_BEYOND_DB = 1.0
"""Margin over the filter's usual residual of a visitor whom WebRTC let through."""
NOBODY_BELOW_DB = 3.0
"""Margin over that residual, below which a visitor has probably ended."""
RELEASE_BLOCKS = 8
"""Part of the longer hold time that ends with each such block, down to the shorter: the far end does not hear itself
after a visitor's word."""
LOUD_DB = -12.0
"""Echo level above which the residual does not tell that a visitor has ended: it is louder than they are."""


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
        self._judge = Judge()
        self._residual = ResidualSuppressor()
        self._silent_blocks = self._idle_blocks = 0
        self._share = 0.0
        self._early: Frame = np.zeros(LATER_SAMPLES, np.int16)

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one."""
        blocks = len(near) // CANCELLER_SAMPLES
        self._idle_blocks = 0 if peak(far) else self._idle_blocks + blocks
        rests = self._idle_blocks > REST_BLOCKS
        if rests and self._share:
            self._judge.rest()
            self._residual.rest()
            return self._quietened(near)
        cleaned = self._webrtc.process(near, far)
        is_quiet = energy(far) <= QUIET_POWER * len(far)
        self._silent_blocks = self._silent_blocks + blocks if is_quiet else 0
        if self._silent_blocks > REST_BLOCKS and not self._share and not rests:
            self._residual.rest()
            self._quietened(near)
            return cleaned
        if rests:
            left, shares = near, [self._share, *[1.0] * blocks]
        else:
            left = self._left_of(near, far)
            heard = self._judge.hears(near, left, cleaned)
            shares = [self._share, *[float(block.visitor) for block in heard]]
            cleaned = self._residual.suppress(cleaned, [(block.cleaned_db, block.alone_db) for block in heard])
        self._share = shares[-1]
        spoken = self._quietened(left)
        if min(shares) == max(shares):
            return spoken if shares[0] else cleaned
        share = fade(shares)
        mixed: Frame = (cleaned * (1 - share) + spoken * share).astype(np.int16)
        return mixed

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


class Heard(NamedTuple):
    """What the judge finds in a block of 10 ms."""

    visitor: bool
    """Whether a visitor speaks."""
    cleaned_db: float
    """Level of WebRTC's output, dB full scale."""
    alone_db: float | None
    """Residual of the filter against the echo in dB; None without an echo, or while a visitor speaks."""


class Judge:
    """Decides whether somebody speaks at the door while the far end does."""

    def __init__(self) -> None:
        self._held_db = 0.0
        self._let_through_db = LET_THROUGH_LEAST_DB
        self.rest()

    def rest(self) -> None:
        """Forget what was heard last, and keep how well the filter holds the echo: nothing is played."""
        self._left = self._echo = self._cleaned = self._echo_dying = 0.0
        self._hold = 0

    def hears(self, near: Frame, left: Frame, cleaned: Frame) -> list[Heard]:
        """Return what each block of the near frame holds, by the filter's residual and WebRTC's output."""
        return [
            self._hears(left_energy / FULL_POWER, echo / FULL_POWER, cleaned_energy / FULL_POWER)
            for left_energy, echo, cleaned_energy in echo_energies(left, near, cleaned, CANCELLER_SAMPLES)
        ]

    def _hears(self, left: float, echo: float, cleaned: float) -> Heard:
        self._left += SMOOTHING * (left - self._left)
        self._echo += SMOOTHING * (echo - self._echo)
        self._cleaned += SMOOTHING * (cleaned - self._cleaned)
        self._echo_dying = max(self._echo, self._echo_dying * ECHO_DECAY)
        echo_db, cleaned_db = _db(self._echo_dying), _db(self._cleaned)
        left_db = _db(self._left) - echo_db
        echoes_now, echoes = self._echo > ECHO_POWER, echo_db > ECHO_DB
        if echoes_now:
            step_db = HELD_UP_DB if left_db > self._held_db else -HELD_DOWN_DB
            self._held_db = max(self._held_db + step_db, HELD_LEAST_DB)
        beyond_db = left_db - self._held_db
        if self._hold:
            self._hold -= 1
            if self._hold > HOLD_BLOCKS and beyond_db < NOBODY_BELOW_DB and echo_db < LOUD_DB:
                self._hold = max(HOLD_BLOCKS, self._hold - RELEASE_BLOCKS)
        if cleaned_db > HEARD_DB and echoes and self._held_db < HELD_DB:
            if cleaned_db > self._let_through_db + LET_THROUGH_BEYOND_DB and beyond_db > LEFT_BEYOND_DB:
                is_loud = echo_db >= LOUD_DB and left_db < LEARNT_DB
                self._hold = max(self._hold, LOUD_HOLD_BLOCKS if is_loud else SURELY_HOLD_BLOCKS)
            elif self._hold < HOLD_BLOCKS and left_db > self._speaks_db():
                self._hold = HOLD_BLOCKS
        if echoes_now:
            if cleaned_db <= self._let_through_db:
                self._let_through_db = max(self._let_through_db - LET_THROUGH_DOWN_DB, LET_THROUGH_LEAST_DB)
            elif not self._hold:
                self._let_through_db += LET_THROUGH_UP_DB
        return Heard(self._hold > 0, _db(cleaned), left_db if echoes and not self._hold else None)

    def _speaks_db(self) -> float:
        return min(max(SPEAKS_DB, self._held_db + SPEAKS_BEYOND_DB), SPEAKS_SURELY_DB)


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > LEAST_POWER else LEAST_DB
