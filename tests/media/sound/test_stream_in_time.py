"""The far end's stream in simulated time: as much sound as time went by, though the microphone goes and returns."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from bench._paced import BenchCards, Talker
from bench.mouth_to_ear_simulated import Clock, Quiet
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples

BLOCK_S = BLOCK_SAMPLES / RATE_HZ
VOICE = np.full(BLOCK_SAMPLES, 5000, np.int16)
LATE_S = 0.004
"""How much later than it asked the thread wakes, at the most."""


class InLongPeriods(Talker):
    """A microphone whose card tells its place every 21 ms."""

    def _elapsed_frames(self) -> int:
        return super()._elapsed_frames() // 1024 * 1024


class Sent:
    """A near end that remembers each block's time, and whether it is the microphone's."""

    def __init__(self) -> None:
        self.blocks: list[tuple[float, bool]] = []

    def push(self, block: Samples, now: float) -> None:
        self.blocks.append((now, bool(np.mean(block) > VOICE[0] / 2)))

    @property
    def late_s(self) -> list[float]:
        """How much later than its place in the stream each block came."""
        begin = self.blocks[0][0]
        return [at - begin - number * BLOCK_S for number, (at, _) in enumerate(self.blocks)]


def _at_once(work: Callable[[], None], name: str) -> None:
    """Open or close a card while the simulated clock stands still."""
    work()


class Call:
    """A call over a card that is lost at will, served by a thread that wakes a little late."""

    def __init__(self, seed: int, microphone: type[Talker] = Talker) -> None:
        self._chance = Random(seed)
        self.clock, self.sent = Clock(), Sent()
        cards = BenchCards(self.clock, voice=VOICE)
        cards.microphone = microphone(self.clock, VOICE)
        self._engine = AudioEngine(cards, on_event=lambda event: None, clock=self.clock)
        for port in (self._engine._playback, self._engine._capture):
            port._run = _at_once
        self._engine.connect(Quiet(), self.sent)

    def runs(self, seconds: float) -> None:
        until = self.clock.now + seconds
        while self.clock.now < until:
            wait_s = self._engine._serve(self.clock.now)
            self.clock.now += (BLOCK_S if wait_s is None else wait_s) + self._chance.uniform(0.0001, LATE_S)

    def microphone_is_lost(self) -> None:
        self._engine._lost(self._engine._capture, LineLostError("it was unplugged"), self.clock.now)

    def microphone_starts_anew(self) -> None:
        """Stop it, as another one that is chosen would be; the engine starts it."""
        assert self._engine._capture.line is not None
        self._engine._capture.line.stop()

    def runs_some_time(self) -> None:
        self.runs(self._chance.uniform(0.4, 0.6))


@pytest.mark.parametrize("seed", range(5))
def test_a_microphone_that_goes_and_returns_leaves_the_far_end_s_stream_in_time(seed: int) -> None:
    call = Call(seed)
    for _ in range(12):
        call.runs_some_time()
        call.microphone_is_lost()
    call.runs(1.0)
    assert call.sent.blocks[-1][1], "it is back"
    assert max(call.sent.late_s[-50:]) < 0.03, "two blocks are one packet"
    assert min(call.sent.late_s[-50:]) > -0.03


@pytest.mark.parametrize("seed", range(5))
def test_a_microphone_that_starts_again_in_a_call_leaves_the_far_end_s_stream_in_time(seed: int) -> None:
    call = Call(seed)
    for _ in range(12):
        call.runs_some_time()
        call.microphone_starts_anew()
    call.runs(1.0)
    assert max(call.sent.late_s[-50:]) < 0.03
    assert min(call.sent.late_s[-50:]) > -0.03


def test_a_microphone_that_gives_its_sound_in_long_periods_is_not_filled_up() -> None:
    call = Call(1, InLongPeriods)
    call.runs(3.0)
    assert all(is_own for _, is_own in call.sent.blocks)
