"""The door's own sounds: there, clean at both ends, and replaceable by files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from intercom.media.errors import ToneError
from intercom.media.sound.format import BLOCK_SAMPLES, FULL_SCALE, RATE_HZ, SHORT_BLOCK_SAMPLES, SILENCE, Samples
from intercom.media.sound.mixer import Aside, Mixer, Playing
from intercom.media.sound.tones import GENERATED, Tones, Wave, sounds_in, tones_of
from tests.alsa import tone, tone_level_db


@pytest.mark.parametrize("name", GENERATED)
def test_every_tone_is_loud_enough_never_clips_and_ends_softly(name: str) -> None:
    samples = Tones()[name]
    assert 0.1 * FULL_SCALE < np.abs(samples).max() < 0.6 * FULL_SCALE
    assert abs(int(samples[0])) < 200
    assert abs(int(samples[-1])) < 200


@pytest.mark.parametrize("extension", ["wav", "ogg", "mp3"])
def test_a_tone_may_come_from_a_file_of_any_rate(tmp_path: Path, extension: str) -> None:
    file = tmp_path / f"chime.{extension}"
    at = np.arange(22_050) / 22_050
    soundfile.write(file, 0.4 * np.sin(2 * np.pi * 500 * at), 22_050)
    chime = Tones({"chime": file})["chime"]
    assert abs(len(chime) - 48_000) < 5_000
    assert tone_level_db(chime[5_000:40_000], 500) > -12


def test_a_file_that_is_no_sound_is_named(tmp_path: Path) -> None:
    file = tmp_path / "chime.wav"
    file.write_text("no sound")
    with pytest.raises(ToneError, match=r"chime.*chime\.wav"):
        Tones({"chime": file})


def test_an_unknown_tone_names_the_known_ones() -> None:
    with pytest.raises(ToneError, match="ringback"):
        Tones()["dingdong"]
    with pytest.raises(ToneError, match="ringback"):
        Tones({"dingdong": Path("x.wav")})


def test_a_tone_is_made_once_when_it_is_asked_for_or_the_door_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(name: str, generate: Callable[[], Wave]) -> Callable[[], Wave]:
        def make() -> Wave:
            made.append(name)
            return generate()

        return make

    for name, generate in [*GENERATED.items()]:
        monkeypatch.setitem(GENERATED, name, counted(name, generate))
    tones = Tones()
    assert made == []
    assert tones["busy"] is tones["busy"]
    assert made == ["busy"]
    tones.prepare()
    assert len(tones["chime"])
    assert sorted(made) == sorted(GENERATED)


def blocks(playing: Playing) -> list[Samples]:
    heard: list[Samples] = []
    while (block := playing.next_block()) is not None and len(heard) < 1000:
        heard.append(block)
    return heard


def test_a_tone_plays_to_its_end_in_whole_blocks() -> None:
    playing = Playing("x", tone(500, 0.1234), repeat=False, asked_at=0)
    heard = blocks(playing)
    assert {len(block) for block in heard} == {BLOCK_SAMPLES}
    assert len(heard) == 13
    assert playing.finished.is_set()


def test_a_tone_over_a_far_end_whose_blocks_are_short_misses_no_sample() -> None:
    samples = np.arange(1, 5 * BLOCK_SAMPLES, dtype=np.int16)
    playing, mixer = Playing("sound", samples, repeat=False, asked_at=0.0), Mixer()
    heard = []
    whole, short = BLOCK_SAMPLES, SHORT_BLOCK_SAMPLES
    for length in (whole, short, short, whole, whole, whole):
        block = playing.next_block(length)
        heard.append(mixer.mix(np.zeros(length, np.int16), [] if block is None else [block]))
        assert len(heard[-1]) == length
    assert np.array_equal(np.concatenate(heard)[: len(samples)], samples)


def test_a_repeated_tone_goes_on_until_it_is_stopped() -> None:
    playing = Playing("x", tone(500, 0.1), repeat=True, asked_at=0)
    for _ in range(35):
        assert playing.next_block() is not None
    playing.stop()
    assert playing.next_block() is None


def test_the_pause_of_a_repeated_tone_is_heard_and_not_kept() -> None:
    tones = Tones()
    ringback = tones["ringback"]
    playing = Playing("ringback", ringback, repeat=True, asked_at=0, pause=tones.pause("ringback"))
    heard = np.concatenate(blocks(playing))
    assert len(ringback) == RATE_HZ
    assert np.array_equal(heard[: 5 * RATE_HZ], heard[5 * RATE_HZ :])
    assert np.array_equal(heard[:RATE_HZ], ringback)
    assert not heard[RATE_HZ : 5 * RATE_HZ].any()


def test_a_tone_that_is_played_once_ends_after_its_pause() -> None:
    tones = Tones()
    assert len(blocks(Playing("busy", tones["busy"], repeat=False, asked_at=0, pause=tones.pause("busy")))) == 100


def test_a_file_in_place_of_a_tone_has_its_own_pause(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ringback.wav", np.full(4800, 0.2), RATE_HZ)
    assert Tones({"ringback": tmp_path / "ringback.wav"}).pause("ringback") == 0
    assert tones_of(str(tmp_path)).pause("ringback") == 0
    assert tones_of(str(tmp_path)).pause("busy") == RATE_HZ // 2


def test_the_far_end_alone_passes_untouched() -> None:
    far = tone(500, 0.01)
    assert Mixer().mix(far, []) is far


def test_a_sum_that_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    loud = np.full(BLOCK_SAMPLES, 30_000, np.int16)
    mixed = Mixer().mix(None, [loud, loud])
    assert mixed.min() == FULL_SCALE


def test_the_far_end_is_ducked_without_a_step() -> None:
    mixer = Mixer()
    far = np.full(BLOCK_SAMPLES, 10_000, np.int16)
    joined = np.concatenate([mixer.mix(far, []), mixer.mix(far, [SILENCE]), mixer.mix(far, [SILENCE])])
    assert np.abs(np.diff(joined.astype(int))).max() < 50
    assert joined[-1] < 2_500


def test_the_gain_applies_to_everything() -> None:
    assert abs(int(Mixer(-6.0).mix(np.full(BLOCK_SAMPLES, 10_000, np.int16), [])[0]) - 5_012) < 3


def test_the_files_of_a_directory_replace_tones_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "chime.wav", np.full(4800, 0.25, np.float32), 48_000)
    soundfile.write(tmp_path / "ringback.wav", np.zeros(61 * 8000, np.float32), 8000)
    (tmp_path / "busy.ogg").write_bytes(b"no sound")
    soundfile.write(tmp_path / "bell.flac", np.zeros(480, np.float32), 48_000)
    (tmp_path / "README.txt").write_text("bells")
    sounds, faults = sounds_in(tmp_path)
    assert list(sounds) == ["chime"]
    assert [fault.partition(":")[0] for fault in faults] == ["bell.flac", "busy.ogg", "ringback.wav"]
    tones = tones_of(str(tmp_path))
    assert len(tones["chime"]) == 4800
    assert len(tones["busy"]) == len(Tones()["busy"])


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in sounds_in(tmp_path / "none")[1][0]


def test_the_far_end_hears_a_tone_over_the_visitor_s_voice_once() -> None:
    aside = Aside()
    voice = tone(500, 0.01)
    assert aside.over(voice) is voice
    aside.play(Playing("x", np.full(BLOCK_SAMPLES, 1000, np.int16), repeat=False, asked_at=0))
    assert np.array_equal(aside.over(voice), voice + 1000)
    assert np.array_equal(aside.over(voice), voice)


def test_a_beep_that_the_last_far_end_did_not_hear_is_not_played_to_the_next() -> None:
    aside = Aside()
    aside.play(Playing("x", np.full(BLOCK_SAMPLES, 1000, np.int16), repeat=False, asked_at=0))
    aside.clear()
    assert not aside.over(SILENCE).any()
