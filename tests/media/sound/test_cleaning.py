"""What the canceller gets, and when."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.sound.cleaning import Cleaning
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SHORT_BLOCK_SAMPLES, Samples


class Told:
    """A canceller that remembers the lengths of what is played, and when it is to clean."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.heard: list[object] = []

    def begin(self) -> None:
        self.heard.append("begin")

    def played(self, block: Samples) -> None:
        self.heard.append(len(block))

    def clean(self, sound: Samples) -> Samples:
        self.heard.append("clean")
        return sound

    def reset(self) -> None:
        """Nothing is learnt."""


BLOCK = np.ones(BLOCK_SAMPLES, np.int16)


def test_the_second_of_two_blocks_is_played_when_it_would_have_been_written_alone() -> None:
    told = Told()
    cleaning = Cleaning(told, 0.0)
    cleaning.played(np.ones(2 * BLOCK_SAMPLES, np.int16), 1.0)
    list(cleaning.cleaned(iter([BLOCK]), 1.0))
    list(cleaning.cleaned(iter([BLOCK]), 1.010))
    assert told.heard == [BLOCK_SAMPLES, "clean", BLOCK_SAMPLES, "clean"]


def test_the_second_block_is_played_before_the_next_is() -> None:
    told = Told()
    cleaning = Cleaning(told, 0.0)
    cleaning.played(np.ones(2 * SHORT_BLOCK_SAMPLES, np.int16), 1.0)
    cleaning.played(BLOCK, 1.020)
    assert told.heard == [SHORT_BLOCK_SAMPLES, SHORT_BLOCK_SAMPLES, BLOCK_SAMPLES]


@pytest.mark.parametrize(("begins", "heard"), [(1.004, [BLOCK_SAMPLES]), (1.015, [])])
def test_of_what_was_played_before_the_microphone_starts_only_a_block_written_ahead_is_heard(
    begins: float, heard: list[object]
) -> None:
    told = Told()
    cleaning = Cleaning(told, 0.0)
    cleaning.played(np.ones(2 * BLOCK_SAMPLES, np.int16), 1.0)
    cleaning.begin(begins)
    list(cleaning.cleaned(iter([BLOCK]), 1.024))
    assert told.heard == [BLOCK_SAMPLES, "begin", *heard, "clean"]
