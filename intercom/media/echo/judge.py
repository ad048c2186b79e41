"""Decides whether a visitor speaks while the far end does, by what both cancellers usually leave of the echo.

`native/passage.c` has the same in C.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame
from intercom.media.sound.energy import echo_energies
from intercom.media.sound.format import FULL_SCALE

FULL_POWER = CANCELLER_SAMPLES * FULL_SCALE**2
"""Energy of a block at full scale."""
LEAST_POWER, LEAST_DB = 1e-12, -120.0
"""Power below which nothing is told apart."""
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
