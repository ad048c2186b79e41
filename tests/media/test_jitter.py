"""The jitter buffer in simulated time: packets go in when the network says, blocks come out every 10 ms."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.jitter import LONGEST_TARGET_S, Conceal, JitterBuffer, Pause, Play, Recover

CLOCK_HZ = 48_000
FRAME = 960
FRAME_S = 0.020


@dataclass
class Line:
    """A far end, a network and a speaker, without resampling: what the buffer alone does."""

    delay_s: Callable[[int], float | None]
    buffer: JitterBuffer = field(default_factory=lambda: JitterBuffer(CLOCK_HZ))
    played: list[tuple[float, int]] = field(default_factory=list)
    concealed: list[tuple[float, int]] = field(default_factory=list)
    recovered: int = 0

    def run(self, seconds: float, *, first_sequence: int = 0, first_timestamp: int = 0) -> Line:
        count = int(seconds / FRAME_S)
        arrivals = sorted(
            (n * FRAME_S + FRAME_S + delay, n) for n in range(count) if (delay := self.delay_s(n)) is not None
        )
        queued = 0
        at = 0
        for block in range(int(seconds * 100) + 20):
            now = block * 0.010
            while at < len(arrivals) and arrivals[at][0] <= now:
                arrived, n = arrivals[at]
                at += 1
                sequence = (first_sequence + n) % 65536
                timestamp = (first_timestamp + n * FRAME) % 2**32
                self.buffer.put(sequence, timestamp, n.to_bytes(4, "big"), FRAME, arrived)
            while queued < 480:
                queued += self._take(now)
            queued -= 480
        return self

    def _take(self, now: float) -> int:
        decision = self.buffer.take(now)
        if isinstance(decision, Play):
            self.played.append((now, int.from_bytes(decision.payload, "big")))
            return FRAME
        if isinstance(decision, Recover):
            self.recovered += 1
            return decision.ticks
        if isinstance(decision, Conceal):
            self.concealed.append((now, decision.ticks))
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
    assert len(numbers) >= 495


def test_a_packet_that_comes_twice_is_played_once() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    assert buffer.put(1, 0, b"a", FRAME, 0.0)
    assert not buffer.put(1, 0, b"a", FRAME, 0.001)
    assert buffer.stats.duplicate == 1


def test_a_packet_that_comes_after_its_time_is_dropped() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    buffer.put(2, FRAME, b"b", FRAME, 0.0)
    assert isinstance(buffer.take(0.1), Play)
    assert not buffer.put(1, 0, b"a", FRAME, 0.1)
    assert buffer.stats.late == 1


def test_jitter_makes_the_target_grow_within_a_fifth_of_a_second() -> None:
    spread = random.Random(1)
    line = Line(lambda n: 0.0 if n < 100 else spread.uniform(0, 0.060)).run(4)
    late = [ticks for now, ticks in line.concealed if 2.4 < now < 4]
    assert line.buffer.target_s > 0.040
    assert sum(late) < 0.02 * 1.6 * CLOCK_HZ


def test_the_target_returns_to_its_floor_after_the_jitter_ends() -> None:
    spread = random.Random(1)
    line = Line(lambda n: spread.uniform(0, 0.060) if n < 200 else 0.0).run(12)
    assert line.buffer.target_s < 0.012


def test_a_lost_packet_is_recovered_from_the_next_one_once_loss_is_known() -> None:
    lossy = random.Random(3)
    line = Line(lambda n: None if lossy.random() < 0.05 else 0.001).run(20)
    assert line.recovered >= 0.8 * line.buffer.stats.lost > 0


def test_a_burst_of_late_packets_does_not_leave_its_delay_behind() -> None:
    stalled = Line(lambda n: 0.001 if not 100 <= n < 125 else (125 - n) * FRAME_S).run(12)
    assert stalled.buffer.stats.shed > 0
    assert stalled.delay_ms_at(4) < 60


def test_a_far_end_that_pauses_is_silence_and_comes_back_at_the_usual_delay() -> None:
    line = Line(lambda n: None if 100 <= n < 200 else 0.001).run(8)
    pause = sum(ticks for now, ticks in line.concealed if 2 < now < 4) / CLOCK_HZ
    assert pause <= 0.25
    assert line.delay_ms_at(5) <= 25


def test_a_stream_that_begins_anew_is_followed_at_once() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    for n in range(50):
        buffer.put(n, n * FRAME, b"old", FRAME, n * FRAME_S)
        buffer.take(n * FRAME_S)
    buffer.put(40_000, 3_000_000_000, b"new", FRAME, 2.0)
    assert buffer.take(2.02) == Play(b"new")


def test_a_telephone_event_in_between_is_not_a_loss() -> None:
    buffer = JitterBuffer(CLOCK_HZ)
    buffer.put(1, 0, b"a", FRAME, 0.0)
    assert isinstance(buffer.take(0.01), Play)
    buffer.put_soundless(2)
    buffer.put(3, FRAME, b"b", FRAME, 0.02)
    assert buffer.take(0.03) == Play(b"b")
    assert buffer.stats.lost == 0


@settings(max_examples=60, deadline=None)
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
        decision = buffer.take(now)
        assert isinstance(decision, Play) or decision.ticks > 0
        assert 0 < buffer.target_s <= LONGEST_TARGET_S


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), loss=st.floats(0, 0.3), jitter_s=st.floats(0, 0.1))
def test_no_packet_is_played_twice_or_out_of_order(seed: int, loss: float, jitter_s: float) -> None:
    chance = random.Random(seed)
    line = Line(lambda n: None if chance.random() < loss else chance.uniform(0, jitter_s)).run(3)
    numbers = [n for _, n in line.played]
    assert all(a < b for a, b in itertools.pairwise(numbers))
