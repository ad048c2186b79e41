"""The jitter buffer in simulated time: packets go in when the network says, blocks come out every 10 ms."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.rtp.jitter import Conceal, JitterBuffer, Pause, Play, Recover
from intercom.media.rtp.jitter_target import LONGEST_TARGET_S, MARGIN_S
from intercom.media.rtp.playout import speed_for
from intercom.media.sound.format import SPARE_S

CLOCK_HZ = 48_000
FRAME = 960
FRAME_S = 0.020


@dataclass
class Line:
    """A far end, a network and a speaker that is 2 % faster or slower where the playout's resampler is."""

    delay_s: Callable[[int], float | None]
    """Of a packet under way; None = lost."""
    repairs: bool = True
    """Every packet holds the one before it as well."""
    buffer: JitterBuffer = field(default_factory=lambda: JitterBuffer(CLOCK_HZ))
    played: list[tuple[float, int]] = field(default_factory=list)
    concealed: list[tuple[float, int]] = field(default_factory=list)
    recovered: list[tuple[int, int]] = field(default_factory=list)
    heard: list[int | None] = field(default_factory=list)
    """What the playout was given, in order: packets by number, None = made up or silence."""
    twice: Callable[[], bool] = lambda: False
    stands_still: tuple[float, float] = (0.0, 0.0)
    """From when until when the speaker asks for nothing, as on a starved machine or without a card."""

    def run(self, seconds: float, *, first_sequence: int = 0, first_timestamp: int = 0) -> Line:
        count = int(seconds / FRAME_S)
        arrivals = sorted(
            (n * FRAME_S + FRAME_S + delay, n) for n in range(count) if (delay := self.delay_s(n)) is not None
        )
        queued = 0.0
        at = 0
        for block in range(int(seconds * 100) + 20):
            now = block * 0.010
            while at < len(arrivals) and arrivals[at][0] <= now:
                arrived, n = arrivals[at]
                at += 1
                sequence = (first_sequence + n) % 65536
                timestamp = (first_timestamp + n * FRAME) % 2**32
                for _ in range(2 if self.twice() else 1):
                    self.buffer.put(sequence, timestamp, n.to_bytes(4, "big"), FRAME, arrived, repairs=self.repairs)
            if self.stands_still[0] <= now < self.stands_still[1]:
                continue
            while queued < 480:
                queued += self._take(now, queued / CLOCK_HZ)
            queued -= 480 * speed_for(self.buffer.excess_s)
        return self

    def _take(self, asked: float, ahead_s: float) -> int:
        decision = self.buffer.take(asked, ahead_s)
        now = asked + ahead_s
        if isinstance(decision, Play):
            self.played.append((now, int.from_bytes(decision.payload, "big")))
            self.heard.append(self.played[-1][1])
            return FRAME
        if isinstance(decision, Recover):
            self.recovered.append((int.from_bytes(decision.following, "big") - 1, decision.ticks))
            self.heard.append(self.recovered[-1][0])
            return decision.ticks
        if isinstance(decision, Conceal):
            self.concealed.append((now, decision.ticks))
        self.heard.append(None)
        assert isinstance(decision, Conceal | Pause)
        return decision.ticks

    def delay_ms_at(self, seconds: float) -> float:
        """From the end of a frame's capture to its playout, around a time."""
        near = [1000 * (now - n * FRAME_S - FRAME_S) for now, n in self.played if abs(now - seconds) < 0.5]
        return max(near)


def test_on_a_perfect_network_every_packet_is_played_within_20_ms() -> None:
    line = Line(lambda n: 0.002).run(5)
    assert [n for _, n in line.played] == list(range(250))
    assert line.delay_ms_at(4) <= 20


def test_sequence_and_timestamp_may_wrap() -> None:
    line = Line(lambda n: 0.002).run(5, first_sequence=65500, first_timestamp=2**32 - 5000)
    assert [n for _, n in line.played] == list(range(250))


def test_packets_in_the_wrong_order_are_played_in_the_right_one() -> None:
    line = Line(lambda n: 0.030 if n % 5 == 0 else 0.0).run(10)
    numbers = [n for _, n in line.played]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 490
    assert line.buffer.stats.lost_s == 0


def test_a_packet_that_comes_twice_is_played_once() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    assert buffer.put(1, 0, b"a", FRAME, 0.0)
    assert not buffer.put(1, 0, b"a", FRAME, 0.001)
    assert buffer.stats.duplicate == 1


def test_a_packet_that_comes_after_its_time_is_dropped() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    buffer.put(2, FRAME, b"b", FRAME, 0.0)
    assert isinstance(buffer.take(0.1, 0.0), Play)
    assert not buffer.put(1, 0, b"a", FRAME, 0.1)
    assert buffer.stats.late == 1


def test_jitter_makes_the_target_grow_within_a_fifth_of_a_second() -> None:
    spread = random.Random(1)
    line = Line(lambda n: 0.0 if n < 100 else spread.uniform(0, 0.060)).run(4)
    late = [ticks for now, ticks in line.concealed if 2.4 < now < 4]
    assert line.buffer.target.delay_s > 0.040
    assert sum(late) < 0.02 * 1.6 * CLOCK_HZ


def test_the_target_is_shorter_where_late_packets_are_waited_for_and_never_below_its_margin() -> None:
    def delay(n: int) -> float:
        return 0.04 * (n % 4) / 3

    waiting, buffer = JitterBuffer(CLOCK_HZ), Line(delay).run(5.0).buffer
    waiting.target.is_spared = True
    Line(delay, buffer=waiting).run(5.0)
    assert buffer.target.delay_s == pytest.approx(0.04 + MARGIN_S, abs=0.001)
    assert waiting.target.delay_s == pytest.approx(0.04 - SPARE_S, abs=0.001)
    quiet = JitterBuffer(CLOCK_HZ)
    quiet.target.is_spared = True
    assert Line(lambda n: 0.0, buffer=quiet).run(1.0).buffer.target.delay_s == MARGIN_S


def test_the_target_returns_to_its_floor_after_the_jitter_ends() -> None:
    spread = random.Random(1)
    line = Line(lambda n: spread.uniform(0, 0.060) if n < 200 else 0.0).run(12)
    assert line.buffer.target.delay_s < MARGIN_S + 0.004


def test_every_single_loss_is_recovered_whole_also_the_first() -> None:
    line = Line(lambda n: None if n in {50, 120, 700} else 0.001).run(16)
    assert line.recovered == [(50, FRAME), (120, FRAME), (700, FRAME)]
    assert line.buffer.stats.lost == 3
    assert line.buffer.stats.lost_s == 0


def test_of_two_losses_in_a_row_only_the_first_is_lost_to_the_ear() -> None:
    line = Line(lambda n: None if n in {50, 51} else 0.001).run(4)
    assert line.recovered == [(51, FRAME)]
    assert line.buffer.stats.lost_s == FRAME_S


def test_at_two_percent_of_loss_the_ear_misses_what_is_lost_in_a_row_and_no_more() -> None:
    lossy = random.Random(3)
    lost = {n for n in range(6000) if lossy.random() < 0.02}
    in_a_row = sum(n + 1 in lost for n in lost)
    line = Line(lambda n: None if n in lost else 0.001).run(120)
    assert line.buffer.stats.lost == len(lost)
    assert round(line.buffer.stats.lost_s / FRAME_S, 6) == in_a_row
    assert line.delay_ms_at(100) <= 45


@pytest.mark.parametrize("late_s", [0.015, 0.030, 0.060, 0.150])
@pytest.mark.parametrize("repairs", [True, False])
def test_two_seconds_after_one_late_packet_the_delay_is_what_it_was(late_s: float, repairs: bool) -> None:
    line = Line(lambda n: late_s if n == 200 else 0.001, repairs).run(9)
    back_at = 201 * FRAME_S + late_s + 2.0
    assert line.delay_ms_at(back_at + 0.5) <= line.delay_ms_at(3) + 3


def test_two_seconds_after_one_lost_packet_the_delay_is_what_it_was() -> None:
    line = Line(lambda n: None if n == 200 else 0.001).run(9)
    assert line.buffer.stats.lost_s == 0
    assert line.delay_ms_at(201 * FRAME_S + 2.5) <= line.delay_ms_at(3) + 3


def test_waiting_for_a_late_packet_is_no_loss() -> None:
    line = Line(lambda n: 0.018 if n == 100 else 0.001).run(4)
    assert [n for _, n in line.played] == list(range(200))
    assert line.buffer.stats.lost_s == 0
    assert line.buffer.stats.made_up_s > 0


def test_a_packet_that_comes_after_it_was_recovered_is_not_played_again() -> None:
    line = Line(lambda n: 0.031 if n == 100 else 0.001).run(4)
    assert [n for _, n in line.played] == [n for n in range(200) if n != 100]
    assert line.recovered == [(100, FRAME)]
    assert line.buffer.stats.late == 1
    assert line.buffer.stats.lost_s == 0


def test_nobody_waits_for_redundancy_that_is_not_sent() -> None:
    chance = random.Random(3)
    line = Line(lambda n: None if chance.random() < 0.02 else 0.001, repairs=False).run(20)
    assert line.delay_ms_at(15) <= 25
    assert line.recovered == []
    assert line.buffer.stats.lost_s == line.buffer.stats.lost * FRAME_S


def test_the_wait_for_redundancy_ends_soon_after_the_last_loss() -> None:
    line = Line(lambda n: None if n in range(0, 250, 50) else 0.001).run(12)
    assert line.buffer.target.delay_s < MARGIN_S + 0.004


def test_a_burst_of_late_packets_does_not_leave_its_delay_behind() -> None:
    stalled = Line(lambda n: 0.001 if not 100 <= n < 125 else (125 - n) * FRAME_S).run(12)
    assert stalled.buffer.stats.shed > 0
    assert stalled.delay_ms_at(4) < 60


def test_a_far_end_that_pauses_is_silence_and_comes_back_at_the_usual_delay() -> None:
    line = Line(lambda n: None if 100 <= n < 200 else 0.001).run(8)
    pause = sum(ticks for now, ticks in line.concealed if 2 < now < 4) / CLOCK_HZ
    assert pause <= 0.25
    assert line.delay_ms_at(5) <= 25


def test_silence_that_is_not_sent_is_no_loss_and_the_voice_after_it_is_heard_at_the_usual_delay() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    said = [n for n in range(300) if n < 100 or n >= 200 or n % 21 == 0]
    arrivals = [(n * FRAME_S, number, n) for number, n in enumerate(said)]
    played: dict[int, float] = {}
    queued = 0.0
    for block in range(620):
        now = block * 0.010
        while arrivals and arrivals[0][0] <= now:
            arrived, number, n = arrivals.pop(0)
            buffer.put(number, n * FRAME, n.to_bytes(4, "big"), FRAME, arrived, repairs=True)
        while queued < 480:
            decision = buffer.take(now, queued / CLOCK_HZ)
            if isinstance(decision, Play):
                played[int.from_bytes(decision.payload, "big")] = now
            queued += FRAME if isinstance(decision, Play) else decision.ticks
        queued -= 480
    assert list(played) == said
    assert buffer.stats.lost == 0
    assert buffer.stats.lost_s == 0
    assert max(at - n * FRAME_S for n, at in played.items()) < 0.040


def test_a_stream_that_begins_anew_is_followed_at_once() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    for n in range(50):
        buffer.put(n, n * FRAME, b"old", FRAME, n * FRAME_S)
        buffer.take(n * FRAME_S, 0.0)
    buffer.put(40_000, 3_000_000_000, b"new", FRAME, 2.0)
    assert buffer.take(2.02, 0.0) == Play(b"new")


def test_a_stream_that_is_numbered_anew_behind_what_was_played_is_followed_soon() -> None:
    line = Line(lambda n: 0.001).run(2, first_sequence=1000)
    for n in range(100):
        line.buffer.put(500 + n, (100 + n) * FRAME, b"new", FRAME, 2.22 + n * FRAME_S)
    assert isinstance(line.buffer.take(4.2, 0.0), Play)


def test_a_telephone_event_in_between_is_not_a_loss() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    buffer.put(1, 0, b"a", FRAME, 0.0)
    assert isinstance(buffer.take(0.01, 0.0), Play)
    buffer.put_soundless(2)
    buffer.put(3, FRAME, b"b", FRAME, 0.02)
    assert buffer.take(0.03, 0.0) == Play(b"b")
    assert buffer.stats.lost == 0


@settings(max_examples=25, deadline=None)
@given(
    packets=st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(1, 5760), st.floats(0, 0.1)),
        max_size=80,
    )
)
def test_whatever_arrives_memory_and_target_stay_bounded(packets: list[tuple[int, int, int, float]]) -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    now = 0.0
    for sequence, timestamp, ticks, wait in packets:
        now += wait
        buffer.put(sequence, timestamp, b"x", ticks, now)
        decision = buffer.take(now, 0.0)
        assert isinstance(decision, Play) or decision.ticks > 0
        assert 0 < buffer.target.delay_s <= LONGEST_TARGET_S


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    loss=st.floats(0, 0.3),
    jitter_s=st.floats(0, 0.1),
    twice=st.floats(0, 0.2),
    repairs=st.booleans(),
    first_sequence=st.integers(65_300, 65_535),
    first_timestamp=st.integers(2**32 - 300_000, 2**32 - 1),
)
def test_sound_never_runs_backwards_and_nothing_sounds_twice(
    seed: int,
    loss: float,
    jitter_s: float,
    twice: float,
    repairs: bool,
    first_sequence: int,
    first_timestamp: int,
) -> None:
    chance = random.Random(seed)
    line = Line(lambda n: None if chance.random() < loss else chance.uniform(0, jitter_s), repairs)
    line.twice = lambda: chance.random() < twice
    line.run(4, first_sequence=first_sequence, first_timestamp=first_timestamp)
    heard = [n for n in line.heard if n is not None]
    assert all(a < b for a, b in itertools.pairwise(heard))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    loss=st.floats(0, 0.3),
    jitter_s=st.floats(0, 0.15),
    stall_s=st.floats(0, 1.5),
    repairs=st.booleans(),
)
def test_whatever_the_network_did_the_delay_is_back_at_its_floor_twelve_seconds_later(
    seed: int, loss: float, jitter_s: float, stall_s: float, repairs: bool
) -> None:
    chance = random.Random(seed)

    def network(n: int) -> float | None:
        if n < 150:
            return None if chance.random() < loss else chance.uniform(0, jitter_s)
        return max(0.001, stall_s - (n - 150) * FRAME_S)

    line = Line(network, repairs).run(3 + stall_s + 13)
    assert line.buffer.target.delay_s < MARGIN_S + 0.004
    assert line.delay_ms_at(3 + stall_s + 12) < 32


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    loss=st.floats(0, 0.3),
    begin_s=st.floats(0, 1),
    still_s=st.floats(0, 6),
    repairs=st.booleans(),
)
def test_however_long_the_speaker_stood_still_it_plays_what_is_sent_a_second_later(
    seed: int, loss: float, begin_s: float, still_s: float, repairs: bool
) -> None:
    chance = random.Random(seed)
    back_s = begin_s + still_s

    def network(n: int) -> float | None:
        return None if n * FRAME_S < back_s and chance.random() < loss else 0.005

    line = Line(network, repairs, stands_still=(begin_s, back_s)).run(back_s + 3)
    assert line.delay_ms_at(back_s + 2) < 180, "it is behind by no more than what is shed at once"
    played = [n for now, n in line.played if back_s + 1 <= now < back_s + 2.8]
    assert len(played) >= 85, "of 90 packets"


@settings(max_examples=25, deadline=None)
@given(jumps=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 65_535), st.integers(0, 2**32 - 1)), max_size=8))
def test_a_stream_that_jumps_is_heard_again_soon(jumps: list[tuple[int, int, int]]) -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    now, queued = 0.0, 0
    for count, sequence, timestamp in [*jumps, (150, 7, 9)]:
        played = 0
        for n in range(count):
            buffer.put((sequence + n) % 65_536, (timestamp + n * FRAME) % 2**32, b"x", FRAME, now, repairs=True)
            for _ in range(2):
                now += 0.010
                while queued < 480:
                    decision = buffer.take(now, 0.0)
                    played += isinstance(decision, Play)
                    queued += FRAME if isinstance(decision, Play) else decision.ticks
                queued -= 480
    assert played >= 110, "of the last 150 packets all are heard but what the jump cost: 0.8 s at most"
