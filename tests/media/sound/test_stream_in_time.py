"""The far end's stream in simulated time: as much sound as time went by, though the microphone goes and returns."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from bench._paced import BenchCards, Talker
from bench.mouth_to_ear_simulated import Clock, Quiet
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.rtp.audio_track import MicrophoneTrack
from intercom.media.rtp.packet_sender import MediaFrame
from intercom.media.sound.ends import NearEnd
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

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.blocks: list[tuple[float, bool]] = []

    def push(self, block: Samples, now: float) -> None:
        self.blocks.append((self._clock.now, bool(np.mean(block) > VOICE[0] / 2)))

    @property
    def late_s(self) -> list[float]:
        """How much later than its place in the stream each block came."""
        begin = self.blocks[0][0]
        return [at - begin - number * BLOCK_S for number, (at, _) in enumerate(self.blocks)]


class Marks:
    """An encoder whose packets hold nothing of the sound."""

    clock_hz = RATE_HZ

    def encode(self, frame: Samples) -> bytes:
        return b"sound"

    def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
        """Nothing changes."""


class Packets(MicrophoneTrack):
    """A near end that remembers how much later than its timestamp each packet leaves."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Marks())
        self._clock = clock
        self.late_s: list[float] = []
        self.push_to(self._leaves)

    def _leaves(self, frame: MediaFrame) -> None:
        self.late_s.append(self._clock.now - frame.timestamp / RATE_HZ)


class Call:
    """A call over a card that is lost at will, served by a thread that wakes a little late."""

    def __init__(self, seed: int, microphone: type[Talker] = Talker) -> None:
        self._chance = Random(seed)
        self.clock = Clock()
        self.sent = Sent(self.clock)
        cards = BenchCards(self.clock, voice=VOICE)
        cards.microphone = microphone(self.clock, VOICE)
        self._engine = AudioEngine(cards, on_event=lambda event: None, clock=self.clock)
        for port in (self._engine._playback, self._engine._capture):
            port._run = self._open_or_close
        self.opens_in_s = 0.0
        self._opens: tuple[float, Callable[[], None]] | None = None
        self.goes_to(self.sent)

    def goes_to(self, near: NearEnd) -> None:
        """Let another near end have the sound."""
        self._engine.connect(Quiet(), near)

    def _open_or_close(self, work: Callable[[], None], name: str) -> None:
        """Do it while the simulated clock stands still, or open later."""
        if self.opens_in_s and name.startswith("open"):
            self._opens = (self.clock.now + self.opens_in_s, work)
        else:
            work()

    def runs(self, seconds: float) -> None:
        until = self.clock.now + seconds
        while self.clock.now < until:
            if self._opens is not None and self.clock.now >= self._opens[0]:
                (_, opens), self._opens = self._opens, None
                opens()
            wait_s = self._engine._serve(self.clock.now)
            self.clock.now += (BLOCK_S if wait_s is None else wait_s) + self._chance.uniform(0.0001, LATE_S)

    def stands_still(self, seconds: float) -> None:
        """Let the engine's thread wake that much too late."""
        self.clock.now += seconds

    def another_microphone_is_chosen(self) -> None:
        """Let the engine close the microphone and open it anew."""
        self._engine.reopen("capture", lambda: True)

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


@pytest.mark.parametrize("opens_in_ms", range(50, 130, 10))
def test_a_microphone_that_takes_time_to_open_leaves_the_packets_timestamps_with_the_clock(opens_in_ms: int) -> None:
    call = Call(opens_in_ms)
    call.opens_in_s = opens_in_ms / 1000
    packets = Packets(call.clock)
    call.goes_to(packets)
    call.runs(1.0)
    before_s = packets.late_s[-1]
    call.another_microphone_is_chosen()
    call.runs(1.0)
    assert packets.late_s[-1] == pytest.approx(before_s, abs=0.03)


def test_a_thread_that_is_late_and_finds_all_that_was_captured_leaves_the_packets_timestamps_with_the_clock() -> None:
    call = Call(1)
    packets = Packets(call.clock)
    call.goes_to(packets)
    call.runs(1.0)
    before_s = packets.late_s[-1]
    call.stands_still(0.13)
    call.runs(1.0)
    assert packets.late_s[-1] == pytest.approx(before_s, abs=0.03)
