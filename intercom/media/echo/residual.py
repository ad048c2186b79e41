"""Suppresses the echo that WebRTC's canceller leaves: that of a distorting speaker, or of a room that rings.

The measure is what the linear filter leaves of the echo. Where that is little, all that the microphone hears is echo,
and what is sent is turned down to the door's own background: lower, and the far end would hear it come and go.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

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


Wave = npt.NDArray[np.float32]
_RAMP: Wave = np.linspace(0, 1, CANCELLER_SAMPLES, dtype=np.float32)


def fade(levels: Sequence[float]) -> Wave:
    """Return the factor of each sample of blocks that begin and end with these levels."""
    ends = np.array(levels, np.float32).reshape(-1, 1)
    return (ends[:-1] + (ends[1:] - ends[:-1]) * _RAMP).reshape(-1)


class ResidualSuppressor:
    """Applies a gain to blocks of 10 ms at 16 kHz."""

    def __init__(self) -> None:
        self.rest()

    def rest(self) -> None:
        """Reset the gain and the background estimate: the far end is silent."""
        self._background_db = self._gain_db = 0.0

    def suppress(self, cleaned: Frame, levels: Sequence[tuple[float, float | None]]) -> Frame:
        """Return the frame without its residual echo.

        `levels`, in dB, of each of its blocks: its own, and what the linear filter leaves of the echo, which is None
        without an echo, or while a visitor speaks.
        """
        gains_db = [self._gain_db]
        for cleaned_db, left_db in levels:
            self._background_db = max(QUIETEST_DB, min(cleaned_db, self._background_db + BACKGROUND_RISE_DB))
            gains_db.append(self._wanted_db(cleaned_db, left_db))
        self._gain_db = gains_db[-1]
        if not any(gains_db):
            return cleaned
        held: Frame = (cleaned * fade([ratio(gain_db) for gain_db in gains_db])).astype(np.int16)
        return held

    def _wanted_db(self, cleaned_db: float, left_db: float | None) -> float:
        if left_db is None or left_db > ALONE_DB:
            return 0.0
        to_background_db = self._background_db + BACKGROUND_SPREAD_DB - cleaned_db
        return min(0.0, max(MOST_DB, STEEPNESS * (left_db - ALONE_DB), to_background_db))
