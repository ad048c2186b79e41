"""The delay of the door's echo canceller without what it does to the sound, by which delays are found."""

from __future__ import annotations

from functools import cache

import numpy as np

from bench._paced import talk
from intercom.media.echo.canceller import open_canceller
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples

HEARD_S = 10
LONGEST_S = 0.1


@cache
def canceller_delay() -> int:
    """In samples: how much later speech leaves the door's own canceller, while the far end is silent."""
    canceller = open_canceller()
    assert canceller is not None, "the default one"
    said = talk()[: HEARD_S * RATE_HZ]
    cleaned = []
    for at in range(0, len(said), 2 * BLOCK_SAMPLES):
        canceller.played(SILENCE)
        canceller.played(SILENCE)
        cleaned.append(canceller.clean(said[at : at + 2 * BLOCK_SAMPLES]))
    size = 1 << (2 * len(said)).bit_length()
    like = np.fft.irfft(np.fft.rfft(np.concatenate(cleaned), size) * np.conj(np.fft.rfft(said, size)), size)
    return int(np.argmax(like[: int(LONGEST_S * RATE_HZ)]))


class Late:
    """In a canceller's place: gives each sample as much later as the canceller would."""

    def __init__(self) -> None:
        self._kept: Samples = np.zeros(canceller_delay(), np.int16)

    def begin(self) -> None:
        """Nothing of it is known."""

    def played(self, block: Samples) -> None:
        """Nothing of it is heard."""

    def clean(self, block: Samples) -> Samples:
        """The sound of so long ago."""
        both = np.concatenate([self._kept, block])
        self._kept = both[len(block) :]
        return both[: len(block)]

    def reset(self) -> None:
        """There is nothing to forget."""
