"""Suppresses the echo that WebRTC's canceller leaves: that of a distorting speaker, or of a room that rings.

The measure is what the linear filter leaves of the echo. Where that is little, all that the microphone hears is echo,
and what is sent is turned down to the door's own background: lower, and the far end would hear it come and go.
"""

from __future__ import annotations

import numpy as np

from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame
from intercom.media.sound.format import ratio

ALONE_DB = -8.0
"""Limit of the linear filter's residual against the echo, below which the far end speaks alone."""
STEEPNESS = 6.0
"""Slope of the suppression, in dB for each dB below that limit: a soft visitor is not cut at once."""
MOST_DB = -40.0
"""Limit of the suppression: more is not needed beside WebRTC's own."""
BACKGROUND_RISE_DB = 0.03
"""Rise of the background estimate per block, 3 dB a second: words do not count as background, and rain soon does."""
BACKGROUND_SPREAD_DB = 3.0
"""Distance from the least level of a few blocks of noise up to their mean."""
QUIETEST_DB = -96.0
"""Least level of the background: one bit."""


class ResidualSuppressor:
    """Applies a gain to 10 ms at 16 kHz at a time."""

    def __init__(self) -> None:
        self.rest()

    def rest(self) -> None:
        """Reset the gain and the background estimate: the far end is silent."""
        self._background_db = self._gain_db = 0.0

    def suppress(self, cleaned: Frame, cleaned_db: float, left_db: float | None) -> Frame:
        """Return the frame without its residual echo; `left_db` is None without an echo, or while a visitor speaks."""
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
