"""The jitter buffer: decides which packet to play when, and how to fill gaps; pure, time is a parameter.

Each packet's *transit* is its arrival less its timestamp; the least transit of the last seconds is the network's
floor, and what a packet takes beyond it is its *delay*. The *target* is the delay that nearly all packets keep to:
it grows at once and shrinks slowly. The *excess* is how far what plays now lags behind floor + target; the far end's
clock drift, the card's and every burst show in it alike, and the resampler works it off.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

STEP_S = 0.010
"""Length of one concealment step: the engine's block."""
MARGIN_S = 0.012
"""Margin of the jitter target: the engine asks for sound up to a block early, and its thread may be 2 ms late."""
LONGEST_TARGET_S = 0.200
"""Limit of the jitter target: beyond this delay people talk over one another, so a lost packet is better."""
QUANTILE = 0.97
"""Share of packets that the jitter target waits for: concealing the rest costs the ear less than the longest delay."""
MEASURE_EVERY = 5
"""Packets between two measurements of the jitter, unless one is later than usual: sorting the window is the cost."""
WINDOW_S = 2.0
"""Time for which a packet's delay is remembered."""
SHRINK_S_PER_S = 0.040
"""Rate at which the jitter target shrinks; the playout follows at once in pauses, and half as fast by resampling in
speech."""
LOSS_WINDOW_S = 3.0
"""Time after a loss in which the target waits one frame longer for the next packet's redundancy."""
REPAIRS_WINDOW_S = 10.0
"""Time without redundancy after which the far end is taken to send none: even a slow talker's pause is shorter."""
EARLY_S = 0.010
"""Limit of being early below which the playout is not stretched."""
SHED_S = 0.100
"""Limit of being late beyond which packets are dropped at once."""
PAUSE_S = 0.200
"""Time without a packet after which the far end pauses: the playout is silent and starts afresh."""
LOST_CLOCK_S = 2.0
"""Distance of a timestamp from its expected place beyond which it belongs to another clock: the buffer starts
afresh."""
MOST_PACKETS = 120
"""Limit of buffered packets, to bound the memory; 2.4 s of 20 ms packets are useless anyway."""
FLOOR_HALF_S = 5.0
"""Time after which the floor's older half is dropped: the least transit of 5 to 10 s follows a drifting clock."""
BUNCH_S = 0.004
"""Interval below which packets count as one measurement, held up together: a single stall must not raise the target."""
SEQUENCE_JUMP = 3000
"""Sequence jump that starts the stream anew: MAX_DROPOUT of RFC 3550 appendix A.1."""
LATE_IN_A_ROW = 25
"""Late packets in a row, half a second of sound, after which the far end has renumbered (RFC 3550 appendix A.1 has
two)."""
LONG_AGO = -1e9


@dataclass(frozen=True, slots=True)
class Play:
    """Decode and play this payload."""

    payload: bytes
    """Payload as received."""


@dataclass(frozen=True, slots=True)
class Recover:
    """Recover a lost packet from the redundancy in the packet after it, which is here."""

    following: bytes
    """Payload of the packet after the lost one; it stays in the buffer."""
    ticks: int
    """Length of the missing sound."""


@dataclass(frozen=True, slots=True)
class Conceal:
    """Conceal missing sound by continuing the last sound."""

    ticks: int
    """Length of the missing sound."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Play silence for one step: the far end sends nothing."""

    ticks: int
    """Length of the silence."""


Decision = Play | Recover | Conceal | Pause


@dataclass(slots=True)
class JitterStats:
    """Counts of the packets by their fate."""

    received: int = 0
    """Packets received."""
    late: int = 0
    """Packets dropped because they came after their playout."""
    duplicate: int = 0
    """Packets received twice."""
    lost: int = 0
    """Packets that never came, or came too late."""
    recovered: int = 0
    """Lost packets recovered from the redundancy in the next packet."""
    shed: int = 0
    """Packets dropped to catch up after a burst."""
    lost_s: float = 0.0
    """Sound that was never played: lost and not recovered, or shed."""
    made_up_s: float = 0.0
    """Sound concealed: in place of lost sound, while a late packet was awaited, or to reach a higher target."""
    played_s: float = 0.0
    """Sound played as received."""


@dataclass(frozen=True, slots=True)
class _Packet:
    start: int
    end: int
    payload: bytes
    repairs: bool


class JitterBuffer:
    """Holds the packets of one RTP stream between arrival and playout; times in s, of one monotonic clock."""

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._step = int(STEP_S * clock_hz)
        self.stats = JitterStats()
        self.target_s = MARGIN_S
        """Jitter target: the delay aimed at, beyond the network's floor."""
        self.excess_s = 0.0
        """Delay in excess of the target, smoothed; negative = less."""
        self.jitter_s = 0.0
        """Delay that nearly all recent packets kept to."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._packets: dict[int, _Packet] = {}
        self._soundless: set[int] = set()
        self._highest: tuple[int, int] | None = None
        self._next_sequence: int | None = None
        self._playhead: int | None = None
        """End of the last played packet."""
        self._filled = 0
        """Length of the sound concealed after it, in ticks."""
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
        """Take a packet with RTP `sequence` (16 bit), `timestamp` (32 bit) and `ticks` of sound; whether it is used.

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
        """Count a packet of the same stream without sound, so that it does not count as lost."""
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
        """Note that `seconds` of the taken sound are not played: the playout is ahead by that."""
        self.excess_s -= seconds

    def take(self, now: float) -> Decision:
        """Decide what to play next, when the speaker has nothing left; `now` is when it will sound, as in `put`.

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
        """Drop packets that came too late, and skip those without sound."""
        if self._next_sequence is None:
            return
        while self._next_sequence in self._soundless:
            self._next_sequence += 1
        for old in [sequence for sequence in self._packets if sequence < self._next_sequence]:
            del self._packets[old]
        self._soundless = {sequence for sequence in self._soundless if sequence > self._next_sequence}

    def _fill_gap(self, sequence: int, head: _Packet, gap: int, now: float) -> Decision | None:
        """Decide how to fill the gap from `gap` to `head`; None when nothing more is missing."""
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
        """Return how much later than floor + target the tick plays, if it plays now."""
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
        """Count the gap before `head` as lost, except for `repaired` ticks recovered by FEC."""
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
    """Return the number nearest to `near` that ends in these `bits` of `value`."""
    span = 1 << bits
    offset = (value - near) % span
    return near + (offset - span if offset >= span // 2 else offset)
