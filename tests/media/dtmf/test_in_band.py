"""Keys as tones: all sixteen are found once, speech opens no door."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from intercom.media.codec.g711 import G711Decoder, G711Encoder
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.dtmf.in_band import HIGH_HZ, KEYS, LOW_HZ, KeyDetector, key_hz
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples
from intercom.media.sound.sound_file import load_sound
from tests.alsa import tone

PAUSE = np.zeros(RATE_HZ // 10, np.int16)


def key_tone(key: str, seconds: float = 0.12, *, twist_db: float = 0.0, hz_off: float = 1.0) -> Samples:
    low, high = key_hz(key)
    return tone(low * hz_off, seconds, -15.0) + tone(high * hz_off, seconds, -15.0 + twist_db)


def found(sound: Samples) -> str:
    detector = KeyDetector()
    blocks = (sound[at : at + BLOCK_SAMPLES] for at in range(0, len(sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES))
    return "".join(heard.key for block in blocks if (heard := detector.listen(block)))


@pytest.mark.parametrize("key", "".join(KEYS))
def test_every_key_is_found_once(key: str) -> None:
    assert found(np.concatenate([PAUSE, key_tone(key), PAUSE])) == key


def test_a_held_key_is_one_and_the_same_key_twice_is_two() -> None:
    assert found(np.concatenate([PAUSE, key_tone("5", 2.0), PAUSE])) == "5"
    assert found(np.concatenate([PAUSE, key_tone("5"), PAUSE, key_tone("5"), PAUSE])) == "55"


@pytest.mark.parametrize("twist_db", [-5.0, 5.0])
def test_a_telephone_line_may_favour_one_tone(twist_db: float) -> None:
    assert found(np.concatenate([PAUSE, key_tone("9", twist_db=twist_db), PAUSE])) == "9"


def test_keys_survive_the_telephone_network() -> None:
    encoder, decoder = G711Encoder("pcmu"), G711Decoder("pcmu")
    sound = np.concatenate([PAUSE, key_tone("9"), PAUSE, key_tone("#"), PAUSE])
    frames = [sound[at : at + 960] for at in range(0, len(sound) - 959, 960)]
    assert found(np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames])) == "9#"


@pytest.mark.parametrize("key", "14")
def test_of_the_keys_that_the_documentation_recommends_opus_blurs_one_in_twelve_at_most(key: str) -> None:
    heard = []
    for begins in range(0, 960, 80):
        encoder, decoder = OpusEncoder(), OpusDecoder()
        sound = np.concatenate([np.zeros(RATE_HZ // 2 + begins, np.int16), key_tone(key, 0.5), PAUSE])
        frames = [sound[at : at + 960] for at in range(0, len(sound) - 959, 960)]
        heard.append(found(np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames])))
    assert set(heard) <= {key, ""}
    assert heard.count(key) >= 11, "which beginning it blurs depends on the processor's rounding"


@pytest.mark.parametrize("hz", [*LOW_HZ, *HIGH_HZ, 425.0, 1000.0])
def test_a_single_tone_is_no_key(hz: float) -> None:
    assert found(tone(hz, 1.0)) == ""


def test_speech_is_no_key() -> None:
    assert found(load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))) == ""


def test_noise_is_no_key() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 20 * RATE_HZ).astype(np.int16)
    assert found(noise) == ""
