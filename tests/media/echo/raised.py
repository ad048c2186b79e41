"""What a canceller gave, at 48 kHz: sounds of one rate are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.resample import Interpolator


def raised(pieces: Sequence[Samples], rate_hz: int) -> Samples:
    """A sound in pieces of one length, of this rate, a millisecond later."""
    if rate_hz == RATE_HZ:
        return np.concatenate(pieces)
    up = Interpolator(RATE_HZ // rate_hz)
    return np.concatenate([up.run(piece) for piece in pieces])
