"""What the door says: whole in each language, equally loud, and no telephone key."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.config.prompts import SENTENCE
from intercom.languages import LANGUAGES
from intercom.media.dtmf.in_band import KeyDetector
from intercom.media.prompts.loudness import LOUDNESS_LUFS
from intercom.media.prompts.prompts import file_name
from intercom.media.prompts.sentences import SENTENCES, sentence
from intercom.media.sound.format import BLOCK_SAMPLES, FULL_SCALE, Samples
from intercom.media.sound.sound_file import load_sound
from tests.alsa import tone
from tests.media.loudness import lufs

ALL = [(language, name) for language in LANGUAGES for name in SENTENCES]


def said(packaged: Path, language: str, name: str) -> Samples:
    return load_sound(packaged / file_name(language, sentence(language, name)))


def test_every_sentence_is_one_that_the_settings_would_accept() -> None:
    assert all(SENTENCE.accepts(sentence(language, name)) for language, name in ALL)


def test_the_judge_of_loudness_knows_the_recommendation_s_own_example() -> None:
    # BS.1770-4, annex 1: a sine of 997 Hz at 0 dB full scale in one channel is at -3.01 LKFS.
    assert lufs(tone(997, 3.0, level_db=0.0)) == pytest.approx(-3.01, abs=0.05)


def test_all_sentences_of_all_languages_are_equally_loud(packaged: Path) -> None:
    levels = {(language, name): lufs(said(packaged, language, name)) for language, name in ALL}
    assert max(levels.values()) - min(levels.values()) < 1.0, levels
    assert all(abs(level - LOUDNESS_LUFS) < 0.5 for level in levels.values()), levels


def test_no_sentence_clips(packaged: Path) -> None:
    assert max(int(abs(said(packaged, *sentence).astype(int)).max()) for sentence in ALL) < FULL_SCALE


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_taken_for_a_telephone_key(packaged: Path, language: str) -> None:
    detector = KeyDetector()
    for name in SENTENCES:
        sound = said(packaged, language, name)
        for at in range(0, len(sound) - BLOCK_SAMPLES, BLOCK_SAMPLES):
            assert detector.listen(sound[at : at + BLOCK_SAMPLES]) is None, name
