"""The jitter buffer: when to play which packet, and what to do where there is none. Pure: time comes in.

Each packet's *transit* is its arrival less its timestamp; the least transit of the last seconds is the network's
floor, and what a packet takes beyond it is its *delay*. The *target* is the delay that nearly all packets keep to:
it grows at once and shrinks slowly. The *excess* is how far what plays now lags behind floor + target; the far end's
clock drift, the card's and every burst show in it alike, and the resampler works it off.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

STEP_S = 0.010
"""What is concealed at a time: the engine's block."""
MARGIN_S = 0.012
"""Sound is asked for up to a block before it is due, and the asking thread may be 2 ms late."""
LONGEST_TARGET_S = 0.200
"""Beyond this people talk over one another; rather lose a packet."""
QUANTILE = 0.97
"""The rest is concealed: cheaper to the ear than the delay of the worst packet."""
MEASURE_EVERY = 5
"""Packets between two looks at the window, unless one is later than usual: sorting it is what costs."""
WINDOW_S = 2.0
"""How long a late packet is remembered."""
SHRINK_S_PER_S = 0.040
"""The playout follows in pauses of speech at once, and by resampling within speech half as fast."""
LOSS_WINDOW_S = 3.0
"""So long after a loss it is worth waiting for the redundancy in the next packet: one frame more of delay."""
REPAIRS_WINDOW_S = 10.0
"""A far end that sent no redundancy for so long sends none: even a slow talker's pause is shorter."""
EARLY_S = 0.010
"""Less than this ahead of time is not worth a stretch."""
SHED_S = 0.100
"""More than this too late is dropped at once."""
PAUSE_S = 0.200
"""After so long without a packet the far end pauses: silence, and a fresh start."""
LOST_CLOCK_S = 2.0
"""A timestamp this far from where it belongs is of another clock: start afresh with it."""
MOST_PACKETS = 120
"""Bounds the memory; 2.4 s of 20 ms packets are of no use anyway."""
FLOOR_HALF_S = 5.0
"""The floor is the least transit of the last five to ten seconds: quick enough for a drifting clock."""
BUNCH_S = 0.004
"""Packets closer than this were held up together: one measurement, or a single stall would raise the target for all."""
SEQUENCE_JUMP = 3000
"""MAX_DROPOUT of RFC 3550 appendix A.1: the stream began anew."""
LATE_IN_A_ROW = 25
"""Half a second of nothing but late packets: the far end numbers them anew (RFC 3550 appendix A.1 has two)."""
LONG_AGO = -1e9


@dataclass(frozen=True, slots=True)
class Play:
    """Decode and play this payload."""

    payload: bytes
    """As received."""


@dataclass(frozen=True, slots=True)
class Recover:
    """A packet is lost, the one after it is here and repairs it: use its redundancy."""

    following: bytes
    """The payload of the packet after it; it stays in the buffer."""
    ticks: int
    """How much is missing."""


@dataclass(frozen=True, slots=True)
class Conceal:
    """Nothing is here: go on from what sounded last."""

    ticks: int
    """How much."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The far end sends nothing: silence for one step."""

    ticks: int
    """How much."""


Decision = Play | Recover | Conceal | Pause


@dataclass(slots=True)
class JitterStats:
    """What happened to the packets; all counts."""

    received: int = 0
    """Packets put in."""
    late: int = 0
    """Of these, came after their time and dropped."""
    duplicate: int = 0
    """Of these, came twice."""
    lost: int = 0
    """Never came, or too late."""
    recovered: int = 0
    """Of the lost, replaced from the redundancy in the next packet."""
    shed: int = 0
    """Dropped to catch up after a burst."""
    lost_s: float = 0.0
    """Sound that never reached the ear: lost and not recovered, or shed."""
    made_up_s: float = 0.0
    """Sound made up: in place of what was lost, while a late packet was awaited, or to reach a higher target."""
    played_s: float = 0.0
    """Sound played as received."""


@dataclass(frozen=True, slots=True)
class _Packet:
    start: int
    end: int
    payload: bytes
    repairs: bool


class JitterBuffer:
    """Packets of one RTP stream between their arrival and their playout. Times in s, of one monotonic clock."""

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._step = int(STEP_S * clock_hz)
        self.stats = JitterStats()
        self.target_s = MARGIN_S
        """The delay aimed at, beyond the network's floor."""
        self.excess_s = 0.0
        """How much more delay than that there is, smoothed; negative = less."""
        self.jitter_s = 0.0
        """The delay that nearly all packets kept to lately."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._packets: dict[int, _Packet] = {}
        self._soundless: set[int] = set()
        self._highest: tuple[int, int] | None = None
        self._next_sequence: int | None = None
        self._playhead: int | None = None
        """Where the last played packet ended."""
        self._filled = 0
        """How far beyond it sound was made up, in ticks."""
        self._delays: deque[tuple[float, float]] = deque()
        self._floors: deque[tuple[float, float]] = deque(maxlen=2)
        self._frame_s = 0.0
        self._measured = self._late_in_a_row = 0
        self._last_put = self._last_loss = self._last_repairing = LONG_AGO
        self.excess_s = 0.0

    # Arrival

    def put(
        self, sequence: int, timestamp: int, payload: bytes, ticks: int, now: float, *, repairs: bool = False
    ) -> bool:
        """A packet arrived: RTP `sequence` (16 bit) and `timestamp` (32 bit), sounding `ticks`; whether it is used.

        `repairs`: it also holds the sound of the packet before it, as long as its own.
        """
        self.stats.received += 1
        if self._highest is None:
            extended, start = sequence, timestamp
        else:
            extended = _extend(sequence, self._highest[0], 16)
            start = _extend(timestamp, self._highest[1], 32)
            if (
                abs(extended - self._highest[0]) > SEQUENCE_JUMP
                or self._is_another_clock(start, now)
                or self._late_in_a_row > LATE_IN_A_ROW
            ):
                self._begin_anew()
                extended, start = sequence, timestamp
        if extended in self._packets:
            self.stats.duplicate += 1
            return False
        if self._highest is None or extended > self._highest[0]:
            self._highest = (extended, start)
        self._frame_s = ticks / self._clock_hz
        if repairs:
            self._last_repairing = now
        self._measure(start / self._clock_hz, now)
        if self._next_sequence is not None and extended < self._next_sequence:
            self.stats.late += 1
            self._late_in_a_row += 1
            return False
        self._late_in_a_row = 0
        self._packets[extended] = _Packet(start, start + ticks, payload, repairs)
        if len(self._packets) > MOST_PACKETS:
            del self._packets[min(self._packets)]
            self.stats.shed += 1
        return True

    def put_soundless(self, sequence: int) -> None:
        """A packet of the same stream that holds no sound arrived: it is not lost."""
        if self._highest is not None and len(self._soundless) < MOST_PACKETS:
            self._soundless.add(_extend(sequence, self._highest[0], 16))

    def _is_another_clock(self, start: int, now: float) -> bool:
        return abs(now - start / self._clock_hz - self._floor_s()) > LOST_CLOCK_S

    def _measure(self, sent_s: float, now: float) -> None:
        transit = now - sent_s
        if not self._floors or now - self._floors[-1][0] > FLOOR_HALF_S:
            self._floors.append((now, transit))
        elif transit < self._floors[-1][1]:
            self._floors[-1] = (self._floors[-1][0], transit)
        if now - self._last_put > BUNCH_S:
            self._delays.append((now, transit - self._floor_s()))
        while len(self._delays) > 1 and now - self._delays[0][0] > WINDOW_S:
            self._delays.popleft()
        self._measured += 1
        if self._measured % MEASURE_EVERY == 0 or self._delays[-1][1] > self.jitter_s:
            ordered = sorted(delay for _, delay in self._delays)
            self.jitter_s = ordered[int(QUANTILE * (len(ordered) - 1))]
        slower = self.target_s - SHRINK_S_PER_S * max(0.0, min(now - self._last_put, WINDOW_S))
        self.target_s = max(self._wanted_s(now), slower)
        self._last_put = now

    def _wanted_s(self, now: float) -> float:
        wanted = self.jitter_s + MARGIN_S
        if now - self._last_loss < LOSS_WINDOW_S and now - self._last_repairing < REPAIRS_WINDOW_S:
            wanted = max(wanted, self._frame_s + MARGIN_S)
        return min(wanted, LONGEST_TARGET_S)

    def _floor_s(self) -> float:
        return min(transit for _, transit in self._floors)

    # Playout

    def shorten(self, seconds: float) -> None:
        """So much of what was taken is not played: the playout is ahead by that."""
        self.excess_s -= seconds

    def take(self, now: float) -> Decision:
        """What to play next. Ask whenever the speaker has nothing more; `now` is when it will sound, as in `put`.

        What still waits to be played counts: else the delay would be off by up to a block, and with clocks that drift
        wander by that.
        """
        self._pass_over()
        if not self._packets:
            return self._without_packets()
        sequence = min(self._packets)
        head = self._packets[sequence]
        if self._playhead is None or self._next_sequence is None:
            return self._start(sequence, head, now)
        if sequence > self._next_sequence:
            self._last_loss = now
            self.target_s = max(self.target_s, self._wanted_s(now))
            instead = self._fill_gap(sequence, head, self._playhead, now)
            if instead is not None:
                return instead
        return self._play_in_time(sequence, head, now)

    def _pass_over(self) -> None:
        """Forget what came too late, and what holds no sound."""
        if self._next_sequence is None:
            return
        while self._next_sequence in self._soundless:
            self._next_sequence += 1
        for old in [sequence for sequence in self._packets if sequence < self._next_sequence]:
            del self._packets[old]
        self._soundless = {sequence for sequence in self._soundless if sequence > self._next_sequence}

    def _fill_gap(self, sequence: int, head: _Packet, gap: int, now: float) -> Decision | None:
        """What sounds where packets are missing, from `gap` to `head`; None when nothing more is missing."""
        at = gap + self._filled
        # What was made up while the redundancy was awaited delays it: up to a frame, for a frame that is not lost.
        begin = max(gap, 2 * head.start - head.end)
        repairs = head.repairs and at >= begin
        if repairs and self._lag_s(begin, now) <= self._frame_s:
            at = begin
        if self._lag_s(at, now) < -EARLY_S:
            return self._make_up(self._step)
        if at >= head.start:
            return None
        if not repairs:
            self._filled = min(at + self._step, head.start) - gap
            return self._make_up(self._filled + gap - at)
        self.stats.recovered += 1
        self._give_up(sequence, head, repaired=head.start - at)
        self._playhead = head.start
        return Recover(head.payload, head.start - at)

    def _lag_s(self, tick: int, now: float) -> float:
        """How much later than floor + target the tick plays, if it plays now."""
        return now - self._floor_s() - self.target_s - tick / self._clock_hz

    def _without_packets(self) -> Decision:
        if self._playhead is not None and self._filled < PAUSE_S * self._clock_hz:
            self._filled += self._step
            return self._make_up(self._step)
        self._playhead = None
        self._filled = 0
        return Pause(self._step)

    def _start(self, sequence: int, head: _Packet, now: float) -> Decision:
        lag_s = self._lag_s(head.start, now)
        if lag_s < -STEP_S / 2:
            return Pause(self._step)
        return self._play(sequence, head, max(lag_s, -STEP_S))

    def _play_in_time(self, sequence: int, head: _Packet, now: float) -> Decision:
        lag_s = self._lag_s(head.start, now)
        if lag_s < -EARLY_S:
            return self._make_up(self._step)
        catching_up = lag_s > SHED_S
        while catching_up and lag_s > STEP_S and len(self._packets) > 1:
            self.stats.shed += 1
            self.stats.lost_s += (head.end - head.start) / self._clock_hz
            self._pass_by(sequence, head)
            sequence = min(self._packets)
            head = self._packets[sequence]
            lag_s = self._lag_s(head.start, now)
        return self._play(sequence, head, lag_s)

    def _play(self, sequence: int, head: _Packet, lag_s: float) -> Play:
        self._pass_by(sequence, head)
        self.stats.played_s += (head.end - head.start) / self._clock_hz
        self.excess_s += 0.1 * (lag_s - self.excess_s)
        return Play(head.payload)

    def _pass_by(self, sequence: int, head: _Packet) -> None:
        self._give_up(sequence, head)
        del self._packets[sequence]
        self._next_sequence = sequence + 1
        self._playhead = head.end

    def _give_up(self, sequence: int, head: _Packet, repaired: int = 0) -> None:
        """What is missing before `head` is not played any more, but for so many ticks that are repaired."""
        self._filled = 0
        if self._next_sequence is None or sequence <= self._next_sequence:
            return
        count = sequence - self._next_sequence
        self._next_sequence = sequence
        self.stats.lost += count
        missing = count * (head.end - head.start) if self._playhead is None else head.start - self._playhead
        self.stats.lost_s += max(0, missing - repaired) / self._clock_hz

    def _make_up(self, ticks: int) -> Conceal:
        self.stats.made_up_s += ticks / self._clock_hz
        return Conceal(ticks)


def _extend(value: int, near: int, bits: int) -> int:
    """The number that ends in these `bits` and lies nearest to `near`."""
    span = 1 << bits
    offset = (value - near) % span
    return near + (offset - span if offset >= span // 2 else offset)
