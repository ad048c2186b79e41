"""Whether somebody speaks, by the level of the sound alone."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.codec.opus import OpusEncoder
from intercom.media.recording.voice import Speech, Voice
from intercom.media.sound.format import SILENCE

QUIET_DB, STREET_DB, VOICE_DB = -70.0, -42.0, -25.0


def sounds(speech: Speech, db: float, seconds: float) -> None:
    for _ in range(round(seconds * 50)):
        speech.frame(db)


def speaks(speech: Speech, noise_db: float, seconds: float) -> None:
    """Words of 0.3 s with pauses between them."""
    for _ in range(round(seconds / 0.4)):
        sounds(speech, VOICE_DB, 0.3)
        sounds(speech, noise_db, 0.1)


@pytest.mark.parametrize("noise_db", [QUIET_DB, STREET_DB])
def test_a_voice_is_heard_over_the_noise_of_the_place(noise_db: float) -> None:
    speech = Speech()
    sounds(speech, noise_db, 1)
    assert not speech.heard
    speaks(speech, noise_db, 3)
    assert speech.heard
    assert speech.silent_s < 0.5


@pytest.mark.parametrize("noise_db", [QUIET_DB, STREET_DB])
def test_the_noise_of_the_place_is_silence_however_loud_it_is(noise_db: float) -> None:
    speech = Speech()
    sounds(speech, noise_db, 8)
    assert not speech.heard
    assert speech.silent_s == pytest.approx(8)


def test_a_voice_from_the_first_moment_on_is_heard() -> None:
    speech = Speech()
    speaks(speech, STREET_DB, 2)
    assert speech.heard


def test_a_car_that_stops_before_the_door_becomes_noise() -> None:
    speech = Speech()
    sounds(speech, QUIET_DB, 1)
    sounds(speech, STREET_DB, 25)
    assert speech.silent_s > 5


def test_a_click_is_no_voice() -> None:
    speech = Speech()
    sounds(speech, QUIET_DB, 1)
    sounds(speech, VOICE_DB, 0.04)
    sounds(speech, QUIET_DB, 1)
    assert not speech.heard


def test_a_voice_in_a_long_speech_stays_one() -> None:
    speech = Speech()
    for _ in range(30):
        speaks(speech, STREET_DB, 1)
        assert speech.silent_s < 0.5


def test_the_sound_goes_on_later_where_the_card_was_away() -> None:
    voice = Voice(OpusEncoder())
    for number in range(4):
        voice.push(SILENCE, 10 + number * 0.01)
    for number in range(4):
        voice.push(SILENCE, 12 + number * 0.01)
    ats = [packet.at for packet in voice.take()]
    assert ats[:2] == [0, 960]
    assert ats[2] - ats[1] == pytest.approx(2 * 48_000, abs=2000)
    assert np.diff(ats[2:]).tolist() == [960]
    assert voice.begun_at == 10


def test_what_a_canceller_gave_is_recorded_in_the_same_time() -> None:
    voice = Voice(OpusEncoder())
    for number in range(8):
        voice.push(SILENCE[:160], 10 + number * 0.01)
    assert [packet.at for packet in voice.take()] == [0, 960, 1920, 2880]
