"""The microphone's turn falls together with the speaker's, which costs neither delay nor words."""

from __future__ import annotations

import numpy as np
import pytest

from bench._paced import BenchCards, Talker
from bench.mouth_to_ear_simulated import Clock, Served, Wire
from intercom.media.cards.pcm_line import CaptureLine
from intercom.media.codec.opus import FRAME_SAMPLES, OpusEncoder
from intercom.media.echo.canceller import EchoCanceller
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples
from intercom.media.sound.together import PATIENCE_S, together_s
from tests.media.cards.scripted_pcm import ScriptedPcm, listening
from tests.media.sound.test_sent_rate import Passing

FRAME_S = FRAME_SAMPLES / RATE_HZ
SILENT: Samples = np.zeros(RATE_HZ, np.int16)
SOFT: Samples = np.random.default_rng(1).integers(-60, 60, FRAME_SAMPLES).astype(np.int16)
LOUD: Samples = np.random.default_rng(2).integers(-9000, 9000, RATE_HZ).astype(np.int16)


class InPeriods(Talker):
    """A microphone whose sound comes in whole periods."""

    def read(self) -> tuple[int, bytes]:
        return super().read() if self.avail() >= BLOCK_SAMPLES or not self.began else (0, b"")


class Told:
    """A near end that counts what it gets."""

    def __init__(self) -> None:
        self.blocks = 0

    def push(self, block: Samples, now: float) -> None:
        self.blocks += 1


class Call:
    """A call with a far end whose packets come from `begins_s` on; the visitor says nothing."""

    def __init__(
        self, begins_s: float, visitor: Samples = SILENT, microphone: type[Talker] = Talker, said: Samples = SOFT
    ) -> None:
        self._said = said
        self._clock = Clock()
        cards = BenchCards(self._clock)
        cards.microphone = microphone(self._clock, visitor)
        self._wire, self.near = Wire(self._clock), Told()
        self.canceller = EchoCanceller(Passing())
        self._engine = Served(cards, self._clock, self._wire.playout, self.near, self.canceller)
        self._begin = self._clock.now + 0.1 + begins_s

    def rounds_a_second(self, seconds: float, after_s: float) -> float:
        """How often the engine wakes, after its first seconds."""
        packet, rounds = OpusEncoder().encode(self._said), 0
        while self._clock.now < self._begin + seconds:
            spoken_at = self._begin + self._wire.sent * FRAME_S
            self._clock.now = max(self._clock.now + 1e-4, min(spoken_at, self._wire.due(), self._engine.due))
            if spoken_at <= self._clock.now:
                self._wire.send(packet, spoken_at)
            self._wire.deliver()
            rounds += self._clock.now >= max(self._engine.due, self._begin + after_s)
            self._engine.serve()
        return rounds / (seconds - after_s)


@pytest.mark.parametrize("begins_s", [0.0, 0.003, 0.0067, 0.0125, 0.017, 4.006])
def test_a_quiet_call_wakes_the_engine_once_for_a_frame_both_ways(begins_s: float) -> None:
    call = Call(begins_s)
    assert call.rounds_a_second(15, 13) <= 51
    assert call.canceller.stats().drift_ppm == 0


def test_nothing_that_a_visitor_says_is_left_out() -> None:
    talking, quiet = Call(0.0067, LOUD), Call(0.0067)
    assert talking.rounds_a_second(4, 2) > 51 >= quiet.rounds_a_second(4, 2)
    assert 0 <= talking.near.blocks - quiet.near.blocks <= 2


def test_nothing_is_left_out_while_the_house_speaks() -> None:
    call = Call(0.0067, said=LOUD[:FRAME_SAMPLES])
    assert call.rounds_a_second(4, 2) > 51


def test_a_microphone_whose_sound_comes_in_periods_keeps_its_turn() -> None:
    call = Call(0.0067, SILENT, InPeriods)
    assert call.rounds_a_second(4, 2) > 51


def test_what_is_left_out_is_the_next_that_is_captured() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [100, 0]
    assert not len(line.captured(0.01))
    line.leave_out(600)
    assert line.due_s() == pytest.approx((BLOCK_SAMPLES + 500) / RATE_HZ)
    pcm.answers = [BLOCK_SAMPLES, BLOCK_SAMPLES, 19, 0]
    assert not len(line.captured(0.03))
    assert line.due_s() == pytest.approx(1 / RATE_HZ)


def test_a_microphone_that_starts_anew_leaves_nothing_out() -> None:
    pcm = ScriptedPcm()
    line: CaptureLine = listening(pcm)
    line.leave_out(600)
    line.start(1.0)
    assert line.due_s() == pytest.approx(BLOCK_SAMPLES / RATE_HZ)


@pytest.mark.parametrize(
    ("speaker_s", "microphone_s", "even", "wait_s"),
    [
        (0.005, 0.006, True, 0.006),
        (0.005, 0.006, False, 0.005),
        (0.005, 0.005 + 2 * PATIENCE_S, True, 0.005),
        (0.005, 0.004, True, 0.004),
        (None, 0.004, True, 0.004),
        (0.005, None, True, 0.005),
        (None, None, False, None),
    ],
)
def test_only_an_even_speaker_waits_and_only_for_a_moment(
    speaker_s: float | None, microphone_s: float | None, even: bool, wait_s: float | None
) -> None:
    assert together_s(speaker_s, microphone_s, even=even) == wait_s
