"""The delay of the door's echo canceller without what it does to the sound, by which delays are found."""

from __future__ import annotations

from functools import cache

import numpy as np

from bench._paced import talk
from intercom.media.echo.canceller import FACTOR, open_canceller
from intercom.media.echo.webrtc import CANCELLER_HZ
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples
from intercom.media.sound.resample import Decimator

HEARD_S = 10
LONGEST_S = 0.1


@cache
def canceller_delay() -> int:
    """In samples at the canceller's rate: how much later speech leaves it, while the far end is silent."""
    canceller = open_canceller()
    assert canceller is not None, "the default one"
    said = talk()[: HEARD_S * RATE_HZ]
    down = Decimator(FACTOR)
    heard, cleaned = [], []
    for at in range(0, len(said), 2 * BLOCK_SAMPLES):
        canceller.played(SILENCE)
        canceller.played(SILENCE)
        heard.append(down.run(said[at : at + 2 * BLOCK_SAMPLES]))
        cleaned.append(canceller.clean(said[at : at + 2 * BLOCK_SAMPLES]))
    size = 1 << (2 * len(said) // FACTOR).bit_length()
    before, after = (np.fft.rfft(np.concatenate(sound), size) for sound in (heard, cleaned))
    like = np.fft.irfft(after * np.conj(before), size)
    return int(np.argmax(like[: int(LONGEST_S * CANCELLER_HZ)]))


class Late:
    """In a canceller's place: gives each sample as much later as the canceller would, at its rate."""

    rate_hz = CANCELLER_HZ

    def __init__(self) -> None:
        self._down = Decimator(FACTOR)
        self._kept: Samples = np.zeros(canceller_delay(), np.int16)

    def prepare(self) -> None:
        """Load nothing."""

    def begin(self, later: int = 0) -> None:
        """Nothing of it is known."""

    def played(self, sound: Samples) -> None:
        """Nothing of it is heard."""

    def clean(self, sound: Samples, ahead: int = 0) -> Samples:
        """The sound of so long ago."""
        near = self._down.run(sound)
        both: Samples = np.concatenate([self._kept, near])
        self._kept = both[len(near) :]
        return both[: len(near)]

    def reset(self) -> None:
        """There is nothing to forget."""
