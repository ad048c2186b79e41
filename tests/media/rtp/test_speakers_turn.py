"""The speaker's turn in simulated time, from packets to the card: soon after the packets, whenever they come."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

from bench.mouth_to_ear_simulated import NETWORK_S, Clock, Quiet, Served, Wire
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.codec.interface import FRAME_MS
from intercom.media.codec.opus import FRAME_SAMPLES, OpusEncoder
from intercom.media.echo.canceller import FACTOR, EchoCanceller
from intercom.media.echo.webrtc import Frame
from intercom.media.rtp.playout import Playout
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import BLOCK_MS, BLOCK_SAMPLES, RATE_HZ, SAMPLE_BYTES, Samples
from intercom.media.sound.sound_file import load_sound
from tests.media.cards.coarse import CoarseCards
from tests.media.sound.test_sent_rate import Passing

FRAME_S = FRAME_SAMPLES / RATE_HZ


class Asked:
    """A far end that remembers when it was asked for a block."""

    def __init__(self, playout: Playout) -> None:
        self._playout = playout
        self.at: list[float] = []
        self.waited: list[float] = []
        """Times at which it gave nothing, for a packet was late."""

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        sound = self._playout.pull(now, shortest, longest, spare_s)
        (self.at if len(sound) else self.waited).append(now)
        return sound


def _at_once(work: Callable[[], None], name: str) -> None:
    """Open or close a card while the simulated clock stands still."""
    work()


class Call:
    """A call over a card that tells its place in steps of so many frames; the far end speaks from `begins_s` on."""

    def __init__(self, step: int, begins_s: float, late_s: float = 0.0) -> None:
        self._voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
        self.clock = Clock()
        self.wire, self.canceller = Wire(self.clock), EchoCanceller(Passing())
        self.cards = CoarseCards(self.clock, step, voice=self._voice)
        self.far = Asked(self.wire.playout)
        self._engine = Served(self.cards, self.clock, self.far, Quiet(), self.canceller)
        for port in (self._engine._engine._playback, self._engine._engine._capture):
            port._run = _at_once
        self.begin = self.clock.now + 0.1 + begins_s
        self.rounds: list[float] = []
        self.is_late_by: Callable[[], float] = lambda: late_s

    def runs(self, seconds: float) -> None:
        packet = OpusEncoder().encode(self._voice[:FRAME_SAMPLES])
        while self.clock.now < self.begin + seconds:
            spoken_at = self.begin + self.wire.sent * FRAME_S
            self.clock.now = max(self.clock.now + 1e-4, min(spoken_at, self.wire.due(), self._engine.due))
            if spoken_at <= self.clock.now:
                self.wire.send(packet, spoken_at)
            self.wire.deliver()
            if self.clock.now >= self._engine.due:
                self.rounds.append(self.clock.now)
                self._engine.serve()
                self._engine.due += self.is_late_by()

    @property
    def engine(self) -> AudioEngine:
        """The engine that carries it."""
        return self._engine._engine

    def microphone_starts_anew(self) -> None:
        """Stop it, as another one that is chosen would be; the engine starts it."""
        line = self._engine._engine._capture.line
        assert line is not None
        line.stop()

    def begins_while_somebody_listens(self, listens_s: float) -> None:
        """End the call, let somebody beside it hear the microphone for so long, and begin it again."""
        engine = self._engine._engine
        call = engine._call
        assert call is not None
        engine.beside.listen(Quiet())
        engine.disconnect(call[1])
        self.runs(self.clock.now - self.begin + listens_s)
        assert engine._capture.is_running
        assert not engine._playback.is_running
        engine.connect(*call)
        self.is_woken()

    def is_woken(self) -> None:
        """Let the engine's thread make a round now."""
        self._engine._engine._bell.ring()
        self._engine.due = self.clock.now
        self._engine.serve()

    def speaker_is_lost(self) -> None:
        """Let the speaker's card fail while the microphone's goes on, and run until it is back."""
        engine = self._engine._engine
        engine._lost(engine._playback, LineLostError("it was unplugged"), self.clock.now)
        while not engine._playback.is_running:
            self.runs(self.clock.now - self.begin + 0.1)

    def card_is_lost(self) -> None:
        """Let both fail, and run until the speaker is back."""
        engine = self._engine._engine
        engine._lost(engine._capture, LineLostError("it was unplugged"), self.clock.now)
        self.speaker_is_lost()

    @property
    def echo_after_reference_s(self) -> float:
        """How much later a sound leaves the speaker than the canceller looks for its echo."""
        line, reference = self._engine._engine._capture.line, self.canceller._reference._waiting
        assert line is not None
        waiting = FACTOR * len(reference) + sum(map(len, self.canceller._played))
        speaker, microphone = self.cards.speaker, self.cards.microphone
        queued = speaker._written_frames - speaker._elapsed_frames()
        unheard = microphone._elapsed_frames() - microphone._read_frames + len(line._heard) // SAMPLE_BYTES
        return (queued + unheard - waiting) / RATE_HZ


@pytest.mark.parametrize("begins_s", [0.0, 0.003, 0.006, 0.009, 0.0125, 0.017, 8.0, 8.006])
def test_the_turn_is_soon_after_the_packets_at_even_intervals_and_the_canceller_sees_no_drift(begins_s: float) -> None:
    call = Call(1, begins_s)
    call.runs(12)
    asked_at = [at for at in call.far.at if at > call.begin + 2]
    intervals_ms = [1000 * (later - at) for at, later in itertools.pairwise(asked_at)]
    assert min(intervals_ms) > FRAME_MS - 1, "a packet's two blocks are asked for at once"
    assert max(intervals_ms) < FRAME_MS + 1
    waits_ms = [1000 * (at - call.begin - NETWORK_S) % BLOCK_MS for at in asked_at]
    assert min(waits_ms) > 1, "a packet that is a little late is in time"
    assert max(waits_ms) < 6, "by chance it would be as much as 10"
    assert call.canceller.stats().drift_ppm == 0


def test_a_packet_s_two_blocks_are_one_wake_up() -> None:
    call = Call(1, 0.003)
    call.runs(4)
    rounds = [at for at in call.rounds if at > call.begin + 2]
    assert len(rounds) / 2 <= 100, "50 for the packets, and 50 for the microphone's frames"


class Jitter:
    """A network in which a packet is late by anything up to 45 ms."""

    def __init__(self) -> None:
        self._chance = Random(1)

    def __call__(self) -> float:
        return self._chance.uniform(0, 0.045)


@pytest.mark.parametrize("begins_s", [0.0, 0.006, 0.0125])
def test_a_late_packet_is_waited_for_and_the_speaker_never_runs_dry(begins_s: float) -> None:
    call = Call(1, begins_s)
    call.wire.impair = Jitter()
    call.runs(20)
    assert call.far.waited
    assert call.cards.speaker.clicks == 0
    assert call.cards.speaker.least_frames > 0.0035 * RATE_HZ
    assert call.canceller.stats().drift_ppm == 0


@pytest.mark.parametrize("begins_s", [0.0, 0.005, 0.010, 0.015])
def test_a_microphone_that_starts_in_a_call_is_followed_by_the_reference_while_packets_are_waited_for(
    begins_s: float,
) -> None:
    call = Call(1, 0.003)
    call.runs(8 + begins_s)
    call.microphone_starts_anew()
    call.runs(16)
    call.wire.impair = Jitter()
    call.runs(24)
    assert call.far.waited
    assert call.canceller.stats().drift_ppm == 0


def test_a_microphone_starts_in_a_call_however_late_the_thread_is_and_the_card_tells_its_place() -> None:
    call, chance = Call(960, 0.003), Random(2)
    call.is_late_by = lambda: chance.uniform(0.015, 0.04)
    call.runs(3)
    call.microphone_starts_anew()
    call.runs(3.15)
    assert call._engine._engine._capture.is_running


@pytest.mark.parametrize("later_s", [0.0, 0.004, 0.008, 0.012, 0.016])
def test_the_echo_of_a_speaker_that_returns_in_a_call_is_not_before_the_reference(later_s: float) -> None:
    call = Call(1, 0.003)
    call.runs(8 + later_s)
    assert call.echo_after_reference_s == pytest.approx(0.005, abs=0.001)
    call.speaker_is_lost()
    call.runs(call.clock.now - call.begin + 2)
    assert call.echo_after_reference_s == pytest.approx(0.005, abs=0.001)


def test_a_turn_asks_one_direction_where_the_other_is_not_due_and_both_after_a_ring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = Call(1, 0.003)
    call.runs(8)
    asked, engine = list[str](), call.engine
    speaker, microphone = engine._serve_playback, engine._serve_capture
    monkeypatch.setattr(engine, "_serve_playback", lambda *given: asked.append("speaker") or speaker(*given))
    monkeypatch.setattr(engine, "_serve_capture", lambda *given: asked.append("microphone") or microphone(*given))
    call.rounds.clear()
    call.runs(9)
    assert 48 <= asked.count("speaker") <= 52
    assert 48 <= asked.count("microphone") <= 52
    assert len(asked) <= len(call.rounds) + 2
    asked.clear()
    call.is_woken()
    assert asked == ["speaker", "microphone"]


def test_the_microphone_goes_on_beside_a_speaker_that_opens_again_and_again_and_plays_nothing() -> None:
    call = Call(1, 0.003)
    call.runs(3)
    began = call.cards.microphone.began
    call.cards.speaker.stands_still = True
    call.runs(15)
    assert call.cards.microphone.began == began


def test_a_microphone_that_returns_with_its_speaker_begins_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    call = Call(1, 0.003)
    call.runs(3)
    monkeypatch.setattr(call.canceller, "begin", lambda later: begun.append(call.clock.now))
    call.card_is_lost()
    call.runs(call.clock.now - call.begin + 2)
    assert len(begun) == 1


@pytest.mark.parametrize("later_s", [0.0, 0.004, 0.008, 0.012, 0.016])
def test_a_microphone_starts_at_once_however_much_the_speaker_has_to_play_and_the_reference_fits(
    later_s: float,
) -> None:
    call = Call(1, 0.003)
    call.runs(3 + later_s)
    call.microphone_starts_anew()
    call.is_woken()
    assert call.cards.microphone.began == call.clock.now
    call.runs(6)
    assert call.echo_after_reference_s == pytest.approx(0.004, abs=0.002)


@pytest.mark.parametrize("later_s", [0.0, 0.004, 0.008, 0.012, 0.016])
def test_a_call_that_begins_while_somebody_hears_the_microphone_has_its_reference_as_any_other(later_s: float) -> None:
    call = Call(1, 0.003)
    call.runs(1)
    call.begins_while_somebody_listens(2 + later_s)
    call.runs(8)
    assert call.echo_after_reference_s == pytest.approx(0.004, abs=0.002)
    call.wire.impair = Jitter()
    call.runs(16)
    assert call.echo_after_reference_s == pytest.approx(0.004, abs=0.002)


def test_a_thread_that_is_late_waits_for_no_packet() -> None:
    call = Call(1, 0.003, late_s=0.0025)
    call.wire.impair = Jitter()
    call.runs(10)
    assert not call.far.waited


def test_a_far_end_that_falls_silent_is_waited_for_no_longer_than_its_pause_takes_to_be_known() -> None:
    call = Call(1, 0.003)
    call.runs(5)
    call.wire.impair = lambda: None
    call.runs(8)
    assert max(call.far.waited) < call.begin + 5.3


@pytest.mark.parametrize("begins_s", [0.0067, 0.0125])
@pytest.mark.parametrize("step", [240, 480])
def test_a_card_that_tells_its_place_in_steps_of_up_to_a_block_does_not_click(step: int, begins_s: float) -> None:
    call = Call(step, begins_s)
    call.runs(12)
    assert call.cards.speaker.clicks == 0


@pytest.mark.parametrize("step", [240, 480, 1024])
def test_a_card_that_tells_its_place_in_steps_wakes_the_engine_no_more_often_than_before(step: int) -> None:
    call = Call(step, 0.0067)
    call.runs(12)
    rounds = [at for at in call.rounds if at > call.begin + 1]
    assert len(rounds) / 11 < 150


class Slow(Passing):
    """A canceller that takes 3 ms for each block."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def process(self, near: Frame, far: Frame) -> Frame:
        self._clock.now += 0.003
        return super().process(near, far)


def test_the_time_that_a_round_takes_does_not_make_the_next_turn_late() -> None:
    clock = Clock()
    cards, quiet = CoarseCards(clock, 1), Quiet()
    engine = AudioEngine(cards, on_event=lambda event: None, canceller=EchoCanceller(Slow(clock)), clock=clock)
    engine.connect(quiet, quiet)
    turns = []
    for _ in range(300):
        began = clock.now
        wait_s = engine._serve(began)
        assert wait_s is not None
        turns.append(clock.now + wait_s - began)
        clock.now += wait_s
    assert max(turns) <= BLOCK_SAMPLES / RATE_HZ + 1e-6
