"""Whoever hears the microphone, and speaks, beside the call, on real ALSA PCMs: they come second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from intercom.media.events import EngineEvent
from intercom.media.sound.engine import AudioEngine
from tests.alsa import PATIENCE_S, AlsaCards, tone
from tests.media.events import Reported
from tests.media.sound.test_engine import FarEndTone, NearEndMemory, names


@pytest.fixture
def reported() -> Reported[EngineEvent]:
    return Reported()


@pytest.fixture
def engine(alsa_cards: AlsaCards, reported: Reported[EngineEvent]) -> Iterator[AudioEngine]:
    engine = AudioEngine(names(alsa_cards), on_event=reported)
    engine.start()
    yield engine
    engine.stop()


def test_a_listener_hears_the_door_without_a_call(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    ear = NearEndMemory()
    engine.beside.listen(ear)
    with alsa_cards.speak(tone(440, PATIENCE_S)):
        ear.wait_for_tone(440)


def test_a_listener_and_the_far_end_hear_the_same(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    ear, near = NearEndMemory(), NearEndMemory()
    engine.connect(FarEndTone(1000), near)
    engine.beside.listen(ear)
    with alsa_cards.speak(tone(440, PATIENCE_S)):
        near.wait_for_tone(440)
        ear.wait_for_tone(440)


def test_a_listener_hears_on_when_the_call_is_over(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    ear, near = NearEndMemory(), NearEndMemory()
    engine.beside.listen(ear)
    engine.connect(FarEndTone(1000), near)
    near.wait_for_seconds(0.1)
    engine.disconnect(near)
    with alsa_cards.speak(tone(440, PATIENCE_S)):
        ear.wait_for_tone(440)


def test_a_voice_is_heard_at_the_door_without_a_call(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    with alsa_cards.listen() as heard:
        engine.beside.speak(FarEndTone(700))
        heard.wait_for_tone(700)


def test_a_call_has_the_loudspeaker_for_itself(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    near = NearEndMemory()
    voice = FarEndTone(700)
    engine.beside.speak(voice)
    with alsa_cards.listen() as heard:
        heard.wait_for_tone(700)
        engine.connect(FarEndTone(1000), near)
        heard.wait_for_tone(1000)
        pulled = voice.pulled
        heard.wait_for_seconds(0.2)
        assert voice.pulled == pulled


def test_nothing_runs_when_the_last_listener_has_left(
    engine: AudioEngine, alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    ear = NearEndMemory()
    engine.beside.listen(ear)
    ear.wait_for_seconds(0.1)
    engine.beside.leave(ear)
    chime = engine.play("chime")
    assert chime.finished.wait(PATIENCE_S), "the engine has made its round"
    assert not engine._capture.is_running
