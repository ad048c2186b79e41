"""A call's echo is cancelled from its beginning, also after tones that were played while nobody listened."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.echo.canceller import REFERENCE_LATE, EchoCanceller, HalfDuplex
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE

LOUD = np.full(BLOCK_SAMPLES, 8000, np.int16)
LATEST_BLOCKS = REFERENCE_LATE // CANCELLER_SAMPLES + 2


class Remembering:
    """A backend that cancels nothing, and knows the far end's sound of each block."""

    def __init__(self) -> None:
        self.far: list[Frame] = []

    def process(self, near: Frame, far: Frame) -> Frame:
        self.far.append(far)
        return near

    def reset(self) -> None:
        """Nothing is learnt."""


@pytest.mark.parametrize("tones", [0, 1, 9, 10, 11, 40, 150, 333])
@pytest.mark.parametrize("half_duplex", [False, True])
def test_the_reference_is_no_later_after_tones_than_without(tones: int, half_duplex: bool) -> None:
    backend = Remembering()
    inner = EchoCanceller(backend)
    canceller = HalfDuplex(inner) if half_duplex else inner
    for _ in range(tones):
        canceller.played(LOUD)
    canceller.begin()
    for _ in range(20):
        canceller.played(SILENCE)
        canceller.clean(SILENCE)
    backend.far.clear()
    canceller.played(LOUD)
    canceller.clean(SILENCE)
    for _ in range(LATEST_BLOCKS):
        canceller.played(SILENCE)
        canceller.clean(SILENCE)
    heard = [bool(np.abs(far).max() > 4000) for far in backend.far]
    assert any(heard[:LATEST_BLOCKS])


def test_without_a_beginning_the_tones_would_make_it_late() -> None:
    backend = Remembering()
    canceller = EchoCanceller(backend)
    for _ in range(20):
        canceller.played(LOUD)
    canceller.clean(SILENCE)
    assert len(canceller._reference._waiting) > 10 * CANCELLER_SAMPLES
