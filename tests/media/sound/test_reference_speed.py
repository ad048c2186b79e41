"""Sound at its own speed passes untouched; faster or slower it stays the same sound."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.sound.format import Samples
from intercom.media.sound.varispeed import REFERENCE_PHASES, REFERENCE_TAPS, Varispeed
from tests.alsa import tone

BLOCK = 960
LATE = REFERENCE_TAPS // 2


def of_the_reference() -> Varispeed:
    return Varispeed(REFERENCE_TAPS, REFERENCE_PHASES)


def noise_beside_tone_db(sound: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    peak = int(np.argmax(spectrum))
    rest = spectrum.sum() - spectrum[max(0, peak - 8) : peak + 9].sum()
    return float(10 * np.log10(rest / spectrum.sum()))


def through(sound: Samples, speed: float) -> Samples:
    reference = of_the_reference()
    return np.concatenate([reference.run(block, speed) for block in np.split(sound, len(sound) // BLOCK)])


def test_at_its_own_speed_sound_passes_untouched() -> None:
    sound = np.random.default_rng(1).integers(-32768, 32768, 10 * BLOCK).astype(np.int16)
    assert np.array_equal(through(sound, 1.0)[LATE:], sound[:-LATE])


def test_a_tone_that_is_played_faster_is_a_clean_higher_tone() -> None:
    sound = tone(1000, 1.0)
    faster = through(sound, 1.02)
    assert abs(len(faster) - len(sound) / 1.02) <= 1
    assert noise_beside_tone_db(faster[BLOCK:]) < -55
    peak = np.argmax(np.abs(np.fft.rfft(faster[BLOCK:] * np.hanning(len(faster) - BLOCK))))
    assert abs(peak * 48_000 / (len(faster) - BLOCK) - 1020) < 2


def test_once_the_clocks_no_longer_drift_the_sound_passes_untouched_again() -> None:
    reference = of_the_reference()
    sound = np.random.default_rng(3).integers(-9000, 9000, BLOCK).astype(np.int16)
    for speed in (1 + 70e-6, 1.0):
        reference.run(sound, speed)
    assert np.array_equal(reference.run(sound, 1.0), np.roll(sound, LATE))


def test_a_high_tone_at_the_canceller_s_rate_drifts_cleanly() -> None:
    assert noise_beside_tone_db(through(tone(9000, 1.0), 1 + 50e-6)[BLOCK:]) < -55


@settings(max_examples=100, deadline=None)
@given(fewer=st.lists(st.integers(-19, 19), min_size=1, max_size=30))
def test_frames_that_lose_or_gain_whole_samples_leave_the_next_one_untouched(fewer: list[int]) -> None:
    reference = of_the_reference()
    sound = np.random.default_rng(2).integers(-9000, 9000, BLOCK).astype(np.int16)
    for less in fewer:
        assert len(reference.run(sound, BLOCK / (BLOCK - less))) == BLOCK - less
    reference.run(sound, 1.0)
    assert np.array_equal(reference.run(sound, 1.0), np.roll(sound, LATE))


@settings(max_examples=100, deadline=None)
@given(
    blocks=st.lists(st.tuples(st.integers(1, 2000), st.floats(0.98, 1.02)), min_size=1, max_size=40),
)
def test_whatever_the_speeds_no_sample_is_lost_for_good(blocks: list[tuple[int, float]]) -> None:
    reference = of_the_reference()
    played = sum(len(reference.run(np.full(length, 1000, np.int16), speed)) for length, speed in blocks)
    assert abs(played - sum(length / speed for length, speed in blocks)) < 2
    assert np.all(np.abs(reference.run(np.full(BLOCK, 1000, np.int16), 1.01)[2 * LATE :] - 1000) <= 1)
