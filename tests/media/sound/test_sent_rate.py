"""What a canceller gives goes to the far end at its rate, and so does all that is heard beside it or in its place."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.config import AudioConfig
from intercom.media.cards.card import Pcm
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.codec.interface import FRAME_BLOCKS
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.echo.canceller import EchoCanceller
from intercom.media.echo.webrtc import CANCELLER_HZ, CANCELLER_SAMPLES, Frame
from intercom.media.errors import CardError
from intercom.media.events import Direction
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import SILENCE, Samples
from intercom.media.sound.mixer import Aside, Playing
from intercom.media.sound.stand_in import Murmur
from tests.alsa import Heard, tone, tone_level_db
from tests.media.echo.raised import raised


class Passing:
    """A backend that cancels nothing."""

    def process(self, near: Frame, far: Frame) -> Frame:
        return near

    def reset(self) -> None:
        """Nothing is learnt."""


class FarEnd:
    """A silent far end that hears the door over Opus."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.lengths: set[int] = set()
        self._encoder, self._decoder = OpusEncoder(), OpusDecoder()
        self._blocks: list[Samples] = []

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        return SILENCE

    def push(self, block: Samples, now: float) -> None:
        self.lengths.add(len(block))
        self._blocks.append(block)
        if len(self._blocks) == FRAME_BLOCKS:
            packet = self._encoder.encode(np.concatenate(self._blocks))
            self.heard.add(self._decoder.decode(packet).tobytes())
            self._blocks.clear()


class WithoutOne(SimulatedCards):
    """A card of which one direction is away."""

    def __init__(self, away: Direction) -> None:
        super().__init__(AudioConfig())
        self._away = away

    def open(self, direction: Direction) -> Pcm:
        if direction == self._away:
            raise CardError("unplugged")
        return super().open(direction)


def engine_of(cards: SimulatedCards) -> AudioEngine:
    return AudioEngine(cards, on_event=lambda event: None, canceller=EchoCanceller(Passing()))


def test_the_far_end_hears_the_visitor_and_the_beep_before_the_end() -> None:
    engine, far = engine_of(SimulatedCards(AudioConfig())), FarEnd()
    engine.start()
    try:
        engine.connect(far, far)
        far.heard.wait_for_sound()
        engine.play_to_far_end("call_ending")
        far.heard.wait_for_tone(1400, since=0, for_s=0.1)
    finally:
        engine.stop()
    assert far.lengths == {CANCELLER_SAMPLES}


def test_a_door_that_is_muted_is_silent_at_the_same_rate() -> None:
    engine, far = engine_of(SimulatedCards(AudioConfig())), FarEnd()
    engine.microphone_muted = True
    engine.start()
    try:
        engine.connect(far, far)
        heard = far.heard.wait_for_seconds(0.5)
    finally:
        engine.stop()
    assert far.lengths == {CANCELLER_SAMPLES}
    assert np.abs(heard).max() < 10


@pytest.mark.parametrize("away", ["capture", "playback"])
def test_a_device_that_is_away_is_told_of_at_the_same_rate(away: Direction) -> None:
    engine, far = engine_of(WithoutOne(away)), FarEnd()
    engine.start()
    try:
        engine.connect(far, far)
        far.heard.wait_for_tone(620, since=0, for_s=0.1)
    finally:
        engine.stop()
    assert far.lengths == {CANCELLER_SAMPLES}


def test_a_tone_over_the_visitor_s_voice_keeps_its_pitch_and_its_level() -> None:
    aside = Aside(CANCELLER_HZ)
    aside.play(Playing("x", tone(1400, 1.0), repeat=False, asked_at=0))
    heard = raised([aside.over(SILENCE[:CANCELLER_SAMPLES]) for _ in range(100)], CANCELLER_HZ)
    assert abs(tone_level_db(heard[4800:43_200], 1400) + 12) < 0.5


def test_the_notice_keeps_its_pitch_and_its_level_and_the_murmur_has_no_gap() -> None:
    murmur = Murmur(tone(620, 1.0), CANCELLER_HZ)
    heard = raised([murmur.next_block() for _ in range(100)], CANCELLER_HZ)
    assert abs(tone_level_db(heard[4800:43_200], 620) + 12) < 0.5
    assert all(np.any(murmur.next_block()) for _ in range(450))
