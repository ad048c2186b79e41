"""What the canceller gets, and when."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.errors import MediaError
from intercom.media.sound.cleaning import Cleaning
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples


class Told:
    """A canceller that remembers what it is told when it is to clean."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.ahead: list[int] = []

    def prepare(self) -> None:
        """Load nothing."""

    def begin(self, later: int = 0) -> None:
        """Nothing is forgotten."""

    def played(self, sound: Samples) -> None:
        """Nothing of it is heard."""

    def clean(self, sound: Samples, ahead: int = 0) -> Samples:
        self.ahead.append(ahead)
        return sound

    def reset(self) -> None:
        """Nothing is learnt."""


def test_the_canceller_is_told_how_much_was_written_before_its_time() -> None:
    told = Told()
    cleaning = Cleaning(told, 0.0)
    cleaning.played(np.ones(2 * BLOCK_SAMPLES, np.int16), 1.0)
    for now in (1.0, 1.0126, 1.021):
        list(cleaning.cleaned(np.ones(BLOCK_SAMPLES, np.int16), now))
    assert told.ahead == pytest.approx([2 * BLOCK_SAMPLES, 2 * BLOCK_SAMPLES - 0.0126 * RATE_HZ, 0], abs=1)


class Broken(Told):
    """A canceller whose library cannot be loaded."""

    def prepare(self) -> None:
        raise MediaError("no echo canceller")


def test_a_canceller_that_cannot_be_loaded_is_told_of_and_keeps_nothing_else_from_being_prepared(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Cleaning(Broken(), 0.0).prepare()
    assert caplog.messages == ["The far end will hear itself: no echo canceller"]
