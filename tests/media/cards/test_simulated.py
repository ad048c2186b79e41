"""The simulated card behaves as alsaaudio's PCMs do, in the time that a test gives it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from intercom.config import AudioConfig
from intercom.media.cards.simulated import BUFFER_FRAMES, SimulatedCards, SimulatedMicrophone, SimulatedSpeaker
from intercom.media.errors import CardError
from intercom.media.sound.format import BLOCK_BYTES, BLOCK_SAMPLES, RATE_HZ
from tests.alsa import tone


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_microphone_gives_what_is_there_by_now() -> None:
    clock = Clock()
    microphone = SimulatedMicrophone(tone(500, 1.0), clock)
    assert microphone.read() == (0, b"")
    clock.now += 0.0201
    frames, data = microphone.read()
    assert (frames, len(data)) == (2 * BLOCK_SAMPLES + 4, 2 * BLOCK_BYTES + 8)
    assert microphone.read() == (0, b"")


def test_the_visitor_speaks_again_after_a_pause() -> None:
    clock = Clock()
    voice = tone(500, 1.0)
    microphone = SimulatedMicrophone(voice, clock)
    microphone.read()
    heard = b""
    for _ in range(500):
        clock.now += 0.01001
        heard += microphone.read()[1]
    samples = np.frombuffer(heard, np.int16)
    assert np.abs(samples[RATE_HZ : 3 * RATE_HZ]).max() == 0
    assert np.array_equal(samples[3 * RATE_HZ : 4 * RATE_HZ], voice)


def test_a_microphone_that_nobody_reads_overruns_and_heals() -> None:
    clock = Clock()
    microphone = SimulatedMicrophone(tone(500, 1.0), clock)
    microphone.read()
    clock.now += 1.0
    assert microphone.read()[0] == -32
    assert microphone.read()[0] == 0
    clock.now += 0.0101
    assert microphone.read()[0] == BLOCK_SAMPLES + 4


def test_the_speaker_takes_what_fits_and_plays_it_in_time() -> None:
    clock = Clock()
    speaker = SimulatedSpeaker(None, clock)
    assert speaker.write(bytes(2 * BUFFER_FRAMES + 2000)) == BUFFER_FRAMES
    assert speaker.write(bytes(BLOCK_BYTES)) == 0
    clock.now += 0.0101
    assert speaker.write(bytes(BLOCK_BYTES)) == BLOCK_SAMPLES


def test_a_speaker_that_runs_dry_underruns_and_heals() -> None:
    clock = Clock()
    speaker = SimulatedSpeaker(None, clock)
    speaker.write(bytes(BLOCK_BYTES))
    clock.now += 0.02
    assert speaker.write(bytes(BLOCK_BYTES)) == -32
    assert speaker.write(bytes(BLOCK_BYTES)) == BLOCK_SAMPLES


def test_what_is_played_is_in_the_recording(tmp_path: Path) -> None:
    file = tmp_path / "played.wav"
    sound = tone(500, 0.05)
    speaker = SimulatedSpeaker(file, Clock())
    speaker.write(sound.tobytes())
    speaker.close()
    with wave.open(str(file)) as recording:
        assert recording.getframerate() == RATE_HZ
        assert recording.readframes(10_000) == sound.tobytes()


def test_a_recording_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    cards = SimulatedCards(AudioConfig(simulated_recording=str(tmp_path / "nowhere" / "x.wav")))
    with pytest.raises(CardError, match="nowhere"):
        cards.open("playback")


def test_a_voice_that_is_no_sound_is_named(tmp_path: Path) -> None:
    file = tmp_path / "voice.wav"
    file.write_text("no sound")
    with pytest.raises(CardError, match=r"voice\.wav"):
        SimulatedCards(AudioConfig(simulated_voice=str(file))).open("capture")


def test_the_packaged_prompt_is_spoken() -> None:
    microphone = SimulatedCards(AudioConfig(), Clock()).open("capture")
    assert microphone.read() == (0, b"")
