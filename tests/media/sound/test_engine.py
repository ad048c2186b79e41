"""The engine on real ALSA PCMs: it plays, listens, survives an unplug, and costs nothing when idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from intercom.media.cards import pcm_loss
from intercom.media.cards.chosen_cards import ChosenCards
from intercom.media.events import DeviceLost, DeviceReturned, EngineEvent, EngineFailed, EngineStarted
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import BLOCK_SAMPLES, Samples
from tests.alsa import PATIENCE_S, AlsaCards, Heard, cards_named, tone, tone_level_db
from tests.media.events import Reported
from tests.media.sound.cancellers import CancellerMemory, ForgetfulCanceller

NOTICE_S = 0.1
"""Length of what is heard of the notice, a tone of 620 Hz that sounds for 120 ms every few seconds."""


class FarEndTone:
    """A far end that says one tone for ever."""

    def __init__(self, hz: float) -> None:
        self._sound = tone(hz, 1.0)
        self._at = 0
        self.pulled = 0

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        self.pulled += 1
        block = self._sound[self._at : self._at + BLOCK_SAMPLES]
        self._at = (self._at + BLOCK_SAMPLES) % len(self._sound)
        return block


class NearEndMemory(Heard):
    """A near end that remembers what the door heard."""

    def push(self, block: Samples, now: float) -> None:
        self.add(block.tobytes())


def names(cards: AlsaCards) -> ChosenCards:
    return cards_named(cards.microphone, cards.speaker)


@pytest.fixture
def reported() -> Reported[EngineEvent]:
    return Reported()


@pytest.fixture
def engine(alsa_cards: AlsaCards, reported: Reported[EngineEvent]) -> Iterator[AudioEngine]:
    engine = AudioEngine(names(alsa_cards), on_event=reported)
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a sound server that a busy machine gives no time for no lost card."""
    for name in ("SILENT_S", "START_SILENT_S"):
        monkeypatch.setattr(pcm_loss, name, PATIENCE_S)


def test_it_says_which_card_it_opened(engine: AudioEngine, reported: Reported[EngineEvent]) -> None:
    assert reported.wait_for(EngineStarted).card == "the test bench"


def test_a_chime_wakes_the_engine_and_it_is_told_when_the_card_got_it(
    engine: AudioEngine, reported: Reported[EngineEvent]
) -> None:
    reported.wait_for(EngineStarted)
    chime = engine.play("chime")
    assert chime.finished.wait(PATIENCE_S)
    assert chime.first_written_at is not None
    assert chime.first_written_at >= chime.asked_at


def test_a_tone_is_heard_at_the_door(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    with alsa_cards.listen() as heard:
        ringback = engine.play("ringback", repeat=True)
        heard.wait_for_tone(425)
        ringback.stop()


def test_a_call_carries_sound_both_ways(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    near = NearEndMemory()
    with alsa_cards.listen() as heard, alsa_cards.speak(tone(700, PATIENCE_S)):
        engine.connect(FarEndTone(1000), near)
        heard.wait_for_tone(1000)
        near.wait_for_tone(700, since=0)
        engine.disconnect(near)


def test_a_sentence_is_heard_at_the_door(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    with alsa_cards.listen() as heard:
        sentence = engine.play_sound("rings", tone(650, PATIENCE_S))
        heard.wait_for_tone(650)
        sentence.stop()


def test_what_the_door_says_in_a_call_is_taken_out_of_what_the_house_hears(
    alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    canceller, near = CancellerMemory(), NearEndMemory()
    engine = AudioEngine(names(alsa_cards), on_event=reported, canceller=canceller)
    engine.start()
    try:
        engine.connect(FarEndTone(1000), near)
        canceller.told.wait_for_tone(1000, since=0)
        engine.play_sound("sentence", tone(650, PATIENCE_S))
        canceller.told.wait_for_tone(650)
        engine.disconnect(near)
    finally:
        engine.stop()


def test_the_far_end_hears_the_beep_before_the_end_of_the_call(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    near = NearEndMemory()
    with alsa_cards.speak(tone(700, PATIENCE_S)):
        engine.connect(FarEndTone(1000), near)
        near.wait_for_tone(700, since=0)
        engine.play_to_far_end("call_ending")
        near.wait_for_tone(1400, since=0)
        engine.disconnect(near)


def test_a_muted_speaker_plays_neither_the_far_end_nor_a_tone(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    near = NearEndMemory()
    with alsa_cards.listen() as heard:
        engine.connect(FarEndTone(1000), near)
        heard.wait_for_tone(1000)
        engine.speaker_muted = True
        ringback = engine.play("ringback", repeat=True)
        give_up = time.monotonic() + PATIENCE_S
        while (latest := heard.wait_for_seconds(0.2)).any():
            assert time.monotonic() < give_up, f"it still plays, up to {np.abs(latest).max()}"
        engine.speaker_muted = False
        heard.wait_for_tone(425)
        ringback.stop()
        engine.disconnect(near)


def test_the_far_end_settles_without_a_crackle(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    near = NearEndMemory()
    with alsa_cards.listen() as heard:
        engine.connect(FarEndTone(1000), near)
        heard.wait_for_tone(1000)
        # A busy machine lets the speaker run dry until the engine has found its depth.
        give_up = time.monotonic() + PATIENCE_S
        while (noise_db := noise_beside_tone_db(heard.wait_for_seconds(1.0))) > -50:
            assert time.monotonic() < give_up, f"its noise is still at {noise_db:.0f} dB"
        engine.disconnect(near)


def noise_beside_tone_db(sound: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    peak = int(np.argmax(spectrum))
    rest = spectrum.sum() - spectrum[peak - 8 : peak + 9].sum()
    return float(10 * np.log10(rest / spectrum.sum()))


def test_a_tone_ducks_the_far_end(engine: AudioEngine, alsa_cards: AlsaCards) -> None:
    near = NearEndMemory()
    with alsa_cards.listen() as heard:
        engine.connect(FarEndTone(1000), near)
        heard.wait_for_tone(1000, above_db=-15.0)
        busy = engine.play("busy", repeat=True)
        heard.wait_for_tone(425)
        during_db = tone_level_db(heard.wait_for_seconds(0.3), 1000)
        busy.stop()
        engine.disconnect(near)
    assert during_db < -25.0


def test_idle_it_uses_no_processor_and_runs_no_device(engine: AudioEngine, reported: Reported[EngineEvent]) -> None:
    reported.wait_for(EngineStarted)
    assert engine.play("door_open").finished.wait(PATIENCE_S)
    give_up = time.monotonic() + PATIENCE_S
    while engine.stats().running or processor_time_of_a_moment(engine) > 0.002:
        assert time.monotonic() < give_up, engine.stats()


def processor_time_of_a_moment(engine: AudioEngine) -> float:
    """What the engine's own thread takes: others may have been left in this process."""
    assert engine._thread is not None and engine._thread.ident is not None
    clock = time.pthread_getcpuclockid(engine._thread.ident)
    before = time.clock_gettime(clock)
    threading.Event().wait(0.2)
    return time.clock_gettime(clock) - before


def test_a_call_goes_on_when_the_card_comes_back(
    fragile_alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    canceller = ForgetfulCanceller()
    engine = AudioEngine(names(fragile_alsa_cards), on_event=reported, canceller=canceller)
    engine.start()
    near = NearEndMemory()
    try:
        engine.connect(FarEndTone(1000), near)
        with fragile_alsa_cards.listen() as heard:
            heard.wait_for_tone(1000)
        fragile_alsa_cards.stop()
        reported.wait_for(DeviceLost)
        fragile_alsa_cards.start()
        reported.wait_for(DeviceReturned)
        with fragile_alsa_cards.listen() as heard:
            heard.wait_for_tone(1000)
    finally:
        engine.stop()
    assert canceller.heard_since_reset < canceller.heard


def test_the_canceller_begins_with_the_microphone_and_not_with_the_tones_before_the_call(
    alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    canceller, near = ForgetfulCanceller(), NearEndMemory()
    engine = AudioEngine(names(alsa_cards), on_event=reported, canceller=canceller)
    engine.start()
    try:
        with alsa_cards.listen() as heard:
            ringback = engine.play("ringback", repeat=True)
            heard.wait_for_sound()
            before = canceller.heard
            assert canceller.heard_before == []
            ringback.stop()
        with alsa_cards.speak(tone(700, PATIENCE_S)):
            engine.connect(FarEndTone(1000), near)
            near.wait_for_tone(700, since=0)
    finally:
        engine.stop()
    assert canceller.heard_before[0] >= before > 0


@pytest.mark.usefixtures("patient")
def test_a_card_that_is_taken_in_the_place_of_another_is_told_and_the_room_forgotten(
    alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    canceller = ForgetfulCanceller()
    engine = AudioEngine(names(alsa_cards), on_event=reported, canceller=canceller)
    engine.start()
    near = NearEndMemory()
    try:
        engine.connect(FarEndTone(1000), near)
        with alsa_cards.listen() as heard:
            heard.wait_for_tone(1000)
            engine.reopen("playback", lambda: True)
            reported.wait_for(EngineStarted, count=2)
            heard.wait_for_tone(1000)
    finally:
        engine.stop()
    assert canceller.heard_since_reset < canceller.heard
    assert not any(isinstance(event, DeviceLost) for event in reported.all)


def test_a_card_that_is_not_there_is_reported_and_the_engine_lives(reported: Reported[EngineEvent]) -> None:
    engine = AudioEngine(cards_named("hw:CARD=nowhere", "hw:CARD=nowhere"), on_event=reported)
    engine.start()
    lost = reported.wait_for(DeviceLost)
    engine.stop()
    assert "No such device" in lost.reason or "No such file" in lost.reason
    assert not any(isinstance(event, EngineFailed) for event in reported.all)


class BrokenOnce(FarEndTone):
    """A far end with a defect that heals."""

    broken = True

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        if self.broken:
            self.broken = False
            raise ZeroDivisionError("a defect")
        return super().pull(now, shortest, longest, spare_s)


@pytest.mark.usefixtures("patient")
def test_a_defect_of_one_direction_is_its_fault_and_the_other_one_goes_on(
    engine: AudioEngine, reported: Reported[EngineEvent], alsa_cards: AlsaCards
) -> None:
    class Broken(FarEndTone):
        def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
            raise ZeroDivisionError("a defect")

    near = NearEndMemory()
    engine.connect(Broken(1), near)
    assert reported.wait_for(DeviceLost) == DeviceLost("playback", "ZeroDivisionError: a defect")
    with alsa_cards.speak(tone(700, PATIENCE_S)):
        near.wait_for_tone(700, since=0)
    assert not any(isinstance(event, EngineFailed) for event in reported.all)


@pytest.mark.usefixtures("patient")
def test_a_defect_that_heals_is_over_and_the_call_goes_on(
    engine: AudioEngine, reported: Reported[EngineEvent], alsa_cards: AlsaCards
) -> None:
    with alsa_cards.listen() as heard:
        engine.connect(BrokenOnce(440), NearEndMemory())
        assert reported.wait_for(DeviceReturned).direction == "playback"
        heard.wait_for_tone(440)


@pytest.mark.usefixtures("patient")
def test_without_a_microphone_the_far_end_hears_a_notice_and_its_stream_goes_on(
    alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    engine = AudioEngine(cards_named(None, alsa_cards.speaker), on_event=reported)
    engine.start()
    near = NearEndMemory()
    try:
        with alsa_cards.listen() as heard:
            engine.connect(FarEndTone(1000), near)
            near.wait_for_tone(620, since=0, for_s=NOTICE_S)
            heard.wait_for_tone(1000)
    finally:
        engine.stop()
    assert reported.wait_for(DeviceLost).direction == "capture"


@pytest.mark.usefixtures("patient")
def test_without_a_speaker_the_far_end_hears_the_door_and_a_notice_over_it(
    alsa_cards: AlsaCards, reported: Reported[EngineEvent]
) -> None:
    engine = AudioEngine(cards_named(alsa_cards.microphone, None), on_event=reported)
    engine.start()
    near = NearEndMemory()
    try:
        with alsa_cards.speak(tone(1300, PATIENCE_S)):
            engine.connect(FarEndTone(1000), near)
            near.wait_for_tone(620, since=0, for_s=NOTICE_S)
            near.wait_for_tone(1300, since=0)
    finally:
        engine.stop()
    assert reported.wait_for(DeviceLost).direction == "playback"


def test_without_any_card_what_the_far_end_says_passes_by_and_a_chime_ends_in_its_time(
    reported: Reported[EngineEvent],
) -> None:
    engine = AudioEngine(cards_named("hw:CARD=nowhere", "hw:CARD=nowhere"), on_event=reported)
    engine.start()
    far, near = FarEndTone(1000), NearEndMemory()
    engine.connect(far, near)
    chime = engine.play("chime")
    try:
        assert chime.finished.wait(PATIENCE_S)
        assert far.pulled > 100
        near.wait_for_tone(620, since=0, for_s=NOTICE_S)
    finally:
        engine.stop()
