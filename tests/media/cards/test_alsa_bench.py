"""The bench itself: what is spoken into the mouth is captured, what is played is heard."""

import alsaaudio
import numpy as np
import pytest

from tests.alsa import PATIENCE_S, RATE_HZ, AlsaCards, Samples, tone, tone_level_db


def open_pcm(direction: int, device: str) -> alsaaudio.PCM:
    return alsaaudio.PCM(
        direction,
        alsaaudio.PCM_NORMAL,
        device=device,
        rate=RATE_HZ,
        channels=1,
        format=alsaaudio.PCM_FORMAT_S16_LE,
        periodsize=480,
        periods=4,
    )


def last(captured: bytes) -> Samples:
    return np.frombuffer(captured, np.int16)[-RATE_HZ // 10 :]


def test_what_is_played_at_the_speaker_is_heard(alsa_cards: AlsaCards) -> None:
    with alsa_cards.listen() as heard:
        speaker = open_pcm(alsaaudio.PCM_PLAYBACK, alsa_cards.speaker)
        sound = tone(1000, 0.6).tobytes()
        for begin in range(0, len(sound), 960):
            speaker.write(sound[begin : begin + 960])
        heard.wait_for_tone(1000, since=0)
        speaker.drop()
        speaker.close()


def test_what_is_spoken_reaches_the_microphone(alsa_cards: AlsaCards) -> None:
    microphone = open_pcm(alsaaudio.PCM_CAPTURE, alsa_cards.microphone)
    captured = b""
    with alsa_cards.speak(tone(700, PATIENCE_S)):
        while len(captured) < 2 * RATE_HZ * PATIENCE_S and tone_level_db(last(captured), 700) < -20:
            captured += microphone.read()[1]
    microphone.close()
    assert tone_level_db(last(captured), 700) > -20


def test_a_server_that_died_between_two_tests_costs_neither(
    alsa_session: AlsaCards, request: pytest.FixtureRequest
) -> None:
    assert alsa_session._server is not None
    alsa_session._server.kill()
    alsa_session._server.wait(PATIENCE_S)
    cards = request.getfixturevalue("alsa_cards")
    assert cards.death() is None
    with cards.listen():
        pass  # it answers: it records
