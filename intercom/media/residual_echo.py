"""Takes away what WebRTC's canceller lets through of the echo: that of a speaker which distorts, or a room that rings.

The measure is what the linear filter leaves of the echo. Where that is little, all that the microphone hears is echo,
and what is sent is turned down to the door's own background: lower, and the far end would hear it come and go.
"""

from __future__ import annotations

import numpy as np

from intercom.media.echo_backend import CANCELLER_SAMPLES, Frame
from intercom.media.sound import ratio

ALONE_DB = -8.0
"""What the filter leaves against the echo, below which the far end speaks alone."""
STEEPNESS = 6.0
"""dB of suppression for each dB below: who speaks softly at the door loses nothing at once."""
MOST_DB = -40.0
"""More is not needed beside WebRTC's own."""
BACKGROUND_RISE_DB = 0.03
"""A block: 3 dB a second, so that words do not count as background and rain soon does."""
BACKGROUND_SPREAD_DB = 3.0
"""The least level of some blocks of noise is so much below their mean."""
QUIETEST_DB = -96.0
"""The last bit."""


class ResidualSuppressor:
    """A gain over 10 ms at 16 kHz at a time."""

    def __init__(self) -> None:
        self.rest()

    def rest(self) -> None:
        """The far end is silent: nothing is held down, and the background may become another."""
        self._background_db = self._gain_db = 0.0

    def suppress(self, cleaned: Frame, cleaned_db: float, left_db: float | None) -> Frame:
        """The frame of this level without its echo; `left_db` is None where there is none, or a visitor speaks."""
        self._background_db = max(QUIETEST_DB, min(cleaned_db, self._background_db + BACKGROUND_RISE_DB))
        before_db, self._gain_db = self._gain_db, self._wanted_db(cleaned_db, left_db)
        if before_db == self._gain_db == 0.0:
            return cleaned
        fade = np.linspace(ratio(before_db), ratio(self._gain_db), CANCELLER_SAMPLES, dtype=np.float32)
        held: Frame = (cleaned * fade).astype(np.int16)
        return held

    def _wanted_db(self, cleaned_db: float, left_db: float | None) -> float:
        if left_db is None or left_db > ALONE_DB:
            return 0.0
        to_background_db = self._background_db + BACKGROUND_SPREAD_DB - cleaned_db
        return min(0.0, max(MOST_DB, STEEPNESS * (left_db - ALONE_DB), to_background_db))
