"""What the test sound finds in made-up boxes, and what it advises."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.sound.format import RATE_HZ, Samples, ratio, to_samples
from intercom.media.sound.levels import Levels
from intercom.media.sound.room_check import Findings, examine, probe
from intercom.media.sound.sound_file import load_sound


def box(
    played: Samples,
    *,
    echo_db: float = -12.0,
    delay_s: float = 0.08,
    noise_db: float = -70.0,
    speaker_limit: int = 32767,
) -> Samples:
    """A microphone beside a speaker: a delayed copy with some reverberation, and hiss."""
    chance = np.random.default_rng(2)
    out = np.clip(played, -speaker_limit, speaker_limit).astype(np.float32)
    heard = chance.standard_normal(len(out)).astype(np.float32) * np.float32(32767 * ratio(noise_db))
    for late_s, share in ((0.0, 0.95), (0.004, -0.25), (0.011, 0.15), (0.023, -0.1)):
        shift = int((delay_s + late_s) * RATE_HZ)
        heard[shift:] += out[: len(out) - shift] * np.float32(share * ratio(echo_db))
    return to_samples(heard)


def tried(levels: Levels | None = None, **air: float) -> Findings:
    levels = levels or Levels()
    played = probe(levels.speaker_db)
    return examine(played, box(played, **air), levels)  # type: ignore[arg-type]  # all of them are floats here


def test_a_good_box_is_left_as_it_is() -> None:
    found = tried()
    assert found.advice == ()
    assert found.levels == Levels()


def test_echo_level_delay_and_noise_are_those_of_the_box() -> None:
    found = tried(echo_db=-10, delay_s=0.123, noise_db=-60)
    assert found.echo_level_db == pytest.approx(-10, abs=0.7)
    assert found.delay_ms == pytest.approx(123, abs=0.2)
    assert found.noise_floor_db == pytest.approx(-60, abs=0.5)
    assert found.played_db == pytest.approx(-20, abs=0.1)


@settings(max_examples=15, deadline=None)
@given(st.floats(-25, 5), st.floats(0.005, 0.5), st.floats(-80, -45))
def test_an_echo_louder_than_the_noise_is_always_found(echo_db: float, delay_s: float, noise_db: float) -> None:
    found = tried(echo_db=echo_db, delay_s=delay_s, noise_db=noise_db)
    assert found.delay_ms == pytest.approx(delay_s * 1000, abs=0.2)


def test_an_echo_is_found_though_the_card_stutters() -> None:
    played = probe()
    heard = box(played, delay_s=0.05)
    chance = np.random.default_rng(5)
    stutters = [
        np.concatenate([piece, np.zeros(chance.integers(100, 400), np.int16)])
        for piece in np.array_split(heard, len(heard) // (RATE_HZ // 20))
    ]
    found = examine(played, np.concatenate(stutters), Levels())
    assert found.delay_ms is not None
    assert 50 <= found.delay_ms < 300
    assert found.echo_level_db == pytest.approx(-12, abs=1.5)


def test_a_loud_speaker_is_to_be_turned_down_so_far_that_the_next_test_is_content() -> None:
    found = tried(echo_db=6)
    assert found.advice == ("callers will hear echo: turn the speaker down 9 dB, or move it away from the microphone",)
    assert found.levels == Levels(speaker_db=-9)
    assert tried(found.levels, echo_db=6).advice == ()


def test_an_overdriven_microphone_asks_for_a_softer_speaker() -> None:
    found = tried(echo_db=14)
    assert found.clipped_percent > 0.1
    assert "overdriven" in found.advice[-1]
    assert found.levels.speaker_db <= -15


def test_a_hissing_microphone_is_to_be_turned_down() -> None:
    found = tried(noise_db=-40)
    assert found.advice == ("the microphone hears much noise: turn it down 10 dB, or look for what hums",)
    assert tried(found.levels, noise_db=-40).advice == ()


def test_a_speakerphone_that_cancels_by_itself_needs_no_canceller() -> None:
    found = tried(echo_db=-90)
    assert found.echo_level_db is None
    assert found.delay_ms is None
    assert "echo_canceller" in found.advice[0]


def test_a_sound_that_broke_off_accuses_no_speaker_and_asks_for_another_test() -> None:
    hum = np.random.default_rng(5).normal(0, 3, len(probe())).astype(np.int16)
    (told,) = examine(probe(), hum, Levels(), breaks=7).advice
    assert told.startswith("the sound broke off 7 times")
    assert "speaker" in examine(probe(), hum, Levels()).advice[0]


def test_a_dead_microphone_is_named() -> None:
    found = examine(probe(), np.zeros(0, np.int16), Levels())
    assert found.advice == ("the microphone gives no sound at all: is it plugged in, and not switched off?",)


def test_a_delay_beyond_the_canceller_is_named() -> None:
    assert "needs 450 ms" in tried(delay_s=0.45).advice[0]


@pytest.mark.parametrize("from_s", [0, 1, 2, 3, 4])
def test_a_visitor_s_words_are_no_echo_and_hide_none(from_s: int) -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    played = probe()
    talk = np.resize(np.roll(voice, -from_s * RATE_HZ), len(played))
    assert examine(played, talk, Levels()).echo_level_db is None
    both = to_samples((box(played).astype(np.int32) + talk).astype(np.float32))
    assert examine(played, both, Levels()).delay_ms == pytest.approx(80, abs=0.2)
