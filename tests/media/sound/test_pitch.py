"""A voice gets shorter by one period, without a click and without another pitch; noise is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.pitch import LONGEST, SHORTEST, without_a_period

FRAME = RATE_HZ // 50


def voiced(hz: float) -> Samples:
    """A frame of a voice: its pitch with harmonics."""
    at = np.arange(FRAME) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * hz * n * at + n) / n for n in (1, 2, 3, 4))
    return np.asarray(4000 * wave, np.int16)


@pytest.mark.parametrize("hz", [110, 150, 220, 390])
def test_a_voice_is_shorter_by_one_period_and_goes_on_as_it_would_have(hz: int) -> None:
    sound = voiced(hz)
    cut = without_a_period(sound, FRAME)
    period = len(sound) - len(cut)
    assert period % (RATE_HZ / hz) == pytest.approx(0, abs=2) or (-period) % (RATE_HZ / hz) == pytest.approx(0, abs=2)
    np.testing.assert_array_equal(cut[-(FRAME - 2 * period) :], sound[2 * period :])
    step = np.abs(np.diff(sound.astype(int))).max()
    assert np.abs(np.diff(cut.astype(int))).max() <= 1.1 * step


def test_noise_has_no_period_and_is_left_as_it_is() -> None:
    noise = np.random.default_rng(1).integers(-8000, 8000, FRAME).astype(np.int16)
    assert without_a_period(noise, FRAME) is noise


def test_no_more_is_cut_than_is_wanted() -> None:
    assert len(without_a_period(voiced(110), SHORTEST)) >= FRAME - SHORTEST


@given(
    st.lists(st.integers(-32768, 32767), max_size=400),
    st.integers(0, 4),
    st.integers(-5, 2000),
)
def test_whatever_the_sound_at_most_one_period_goes(some: list[int], times: int, most: int) -> None:
    sound = np.tile(np.array(some, np.int16), times)
    cut = without_a_period(sound, most)
    assert len(sound) - len(cut) <= max(0, min(most, LONGEST))
