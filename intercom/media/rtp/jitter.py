"""The jitter buffer: decides which packet to play when, and how to fill gaps; pure, time is a parameter.

Each packet's *transit* is its arrival less its timestamp; the least transit of the last seconds is the network's
floor, and what a packet takes beyond it is its *delay*. The *target* is the delay that nearly all packets keep to:
`jitter_target.py` finds both. The speaker asks once for each block, and what it then finds need not wait. The
*excess* is how much later the sound plays than at the first such turn after floor + target; the far end's clock drift,
the card's and every burst show in it alike, and a change of speed works it off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from intercom.media.rtp.jitter_target import JitterTarget
from intercom.media.rtp.redundancy import Block

STEP_S = 0.010
"""Length of one concealment step: the engine's block."""
AHEAD_S = 0.0015
"""Sound that is to be left when the speaker asks for a packet: with less, clocks that drift would soon make it ask a
block earlier."""
WANDER_S = 0.00075
"""Limit of leaving the block in whose time a packet is asked for, either way, below which nothing is changed: between
two blocks it would be changed for ever."""
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
SEQUENCE_JUMP = 3000
"""Sequence jump that starts the stream anew: MAX_DROPOUT of RFC 3550 appendix A.1."""
LATE_IN_A_ROW = 25
"""Late packets in a row, half a second of sound, after which the far end has renumbered (RFC 3550 appendix A.1 has
two)."""
LATEST_COPY_FRAMES = 3
"""Limit of the delay that the copy of a lost packet leaves behind, in frames: a burst's first is heard by the third
packet after it, and what is late is soon worked off."""
SMOOTHING = 0.3
"""Weight of the newest packet in the excess."""


class Play(msgspec.Struct, frozen=True):
    """Decode and play this payload."""

    payload: bytes
    """Payload as received."""
    skipped: int = 0
    """Ticks of its beginning that are not played: their time is over, and something was made up instead."""


class Recover(msgspec.Struct, frozen=True):
    """Recover a lost packet from the redundancy in the packet after it, which is here."""

    following: bytes
    """Payload of the packet after the lost one; it stays in the buffer."""
    ticks: int
    """Length of the missing sound."""


class Conceal(msgspec.Struct, frozen=True):
    """Conceal missing sound by continuing the last sound."""

    ticks: int
    """Length of the missing sound."""


class Pause(msgspec.Struct, frozen=True):
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


class _Packet(msgspec.Struct, frozen=True):
    start: int
    end: int
    payload: bytes
    repairs: bool
    is_copy: bool = False


class JitterBuffer:
    """Holds the packets of one RTP stream between arrival and playout; times in s, of one monotonic clock."""

    def __init__(self, clock_hz: int, ticks_of: Callable[[bytes], int] = len) -> None:
        """`ticks_of` tells the length of a payload's sound, 0 where it is damaged; G.711's is its bytes."""
        self._clock_hz = clock_hz
        self._ticks_of = ticks_of
        self._step = int(STEP_S * clock_hz)
        self.stats = JitterStats()
        self.target = JitterTarget()
        self.excess_s = 0.0
        """Delay in excess of the target, smoothed; negative = less."""
        self.wait_s = 0.0
        """Time from floor + target until the speaker's next turn, smoothed: within a block."""
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
        self._frame_s = 0.0
        self._late_in_a_row = 0
        self.target.begin_anew()
        self.excess_s = self.wait_s = 0.0

    # Arrival

    def put(
        self,
        sequence: int,
        timestamp: int,
        payload: bytes,
        ticks: int,
        now: float,
        *,
        repairs: bool = False,
        copies: Sequence[Block] = (),
    ) -> bool:
        """Take a packet with RTP `sequence` (16 bit), `timestamp` (32 bit) and `ticks` of sound; whether it is used.

        `repairs`: the payload also holds the sound of the packet before it, as long as its own. `copies` are of the
        packets just before it, the oldest first.
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
        if extended in self._packets and not self._packets[extended].is_copy:
            self.stats.duplicate += 1
            return False
        if self._highest is None or extended > self._highest[0]:
            self._highest = (extended, start)
        self._frame_s = ticks / self._clock_hz
        self.target.arrived(start / self._clock_hz, self._frame_s, now, repairs=repairs or bool(copies))
        if self._next_sequence is not None and extended < self._next_sequence:
            self.stats.late += 1
            self._late_in_a_row += 1
            return False
        self._late_in_a_row = 0
        self._packets[extended] = _Packet(start, start + ticks, payload, repairs)
        if copies:
            self._keep_copies(extended, start, copies)
        while len(self._packets) > MOST_PACKETS:
            self._drop_oldest()
        return True

    def _keep_copies(self, sequence: int, start: int, copies: Sequence[Block]) -> None:
        """Keep the copies of packets that are missing; before the first packet is played nothing is missed.

        What has the number of a copy may have been without sound, and lost: its timestamp tells.
        """
        if self._next_sequence is None or self._playhead is None or sequence <= self._next_sequence:
            return
        begins, end = {packet.start for packet in self._packets.values()}, start
        for back, copy in enumerate(reversed(copies), 1):
            earlier, begin = sequence - back, start - copy.age
            if earlier < self._next_sequence:
                return
            fits = self._playhead <= begin and begin not in begins
            if fits and earlier not in self._packets and earlier not in self._soundless:
                ticks = self._ticks_of(copy.payload)
                if 0 < ticks <= end - begin:
                    self._packets[earlier] = _Packet(begin, begin + ticks, copy.payload, repairs=False, is_copy=True)
            end = min(end, begin)

    def _drop_oldest(self) -> None:
        """Bound the memory while the speaker asks for nothing."""
        sequence = min(self._packets)
        if self._next_sequence is None:
            self.stats.shed += 1
            del self._packets[sequence]
        else:
            self._shed(sequence, self._packets[sequence])

    def put_soundless(self, sequence: int) -> None:
        """Count a packet of the same stream without sound, so that it does not count as lost."""
        if self._highest is not None and len(self._soundless) < MOST_PACKETS:
            self._soundless.add(_extend(sequence, self._highest[0], 16))

    def _is_another_clock(self, start: int, now: float) -> bool:
        return abs(now - start / self._clock_hz - self.target.floor_s) > LOST_CLOCK_S

    # Playout

    def shorten(self, seconds: float) -> None:
        """Note that `seconds` of the taken sound are not played: the playout is ahead by that."""
        self.excess_s -= seconds

    def awaits_packet(self) -> bool:
        """Whether the packet that is to be played next is not here, and may come."""
        if self._playhead is None or self._next_sequence in self._packets:
            return False
        self._pass_over()
        return self._next_sequence not in self._packets

    def take(self, now: float, ahead_s: float) -> Decision:
        """Decide what to play next, when the speaker asks; `ahead_s` of sound, less than a block, sounds before it."""
        self._pass_over()
        if not self._packets:
            return self._without_packets()
        sequence = min(self._packets)
        head = self._packets[sequence]
        if self._playhead is None or self._next_sequence is None:
            return self._start(sequence, head, now, ahead_s)
        if sequence > self._next_sequence or head.is_copy:
            self.target.lost(now)
        if sequence > self._next_sequence:
            instead = self._fill_gap(sequence, head, self._playhead, now)
            if instead is not None:
                return instead
        return self._play_in_time(sequence, head, now, ahead_s)

    def _pass_over(self) -> None:
        """Drop packets that came too late, and skip those without sound."""
        if self._next_sequence is None:
            return
        while self._next_sequence in self._soundless:
            self._next_sequence += 1
        while self._packets and (oldest := min(self._packets)) < self._next_sequence:
            del self._packets[oldest]
        if self._soundless:
            self._soundless = {sequence for sequence in self._soundless if sequence > self._next_sequence}

    def _fill_gap(self, sequence: int, head: _Packet, gap: int, now: float) -> Decision | None:
        """Decide how to fill the gap from `gap` to `head`; None when nothing more is missing."""
        at = gap + self._filled
        # What was made up while the redundancy was awaited delays it: up to a frame, for a frame that is not lost.
        begin = max(gap, 2 * head.start - head.end)
        repairs = head.repairs and at >= begin
        if repairs and self._lag_s(begin, now) <= self._latest_repair_s:
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

    @property
    def _latest_repair_s(self) -> float:
        """Limit of the lag of what is repaired: the delay that it leaves behind is at most a frame."""
        return self._frame_s + STEP_S + WANDER_S

    def _lag_s(self, tick: int, now: float) -> float:
        """Return how much later than floor + target the tick is asked for, if it is now."""
        return now - self.target.floor_s - self.target.delay_s - tick / self._clock_hz

    def _without_packets(self) -> Decision:
        if self._playhead is not None and self._filled < PAUSE_S * self._clock_hz:
            self._filled += self._step
            return self._make_up(self._step)
        self._playhead = None
        self._filled = 0
        return Pause(self._step)

    def _start(self, sequence: int, head: _Packet, now: float, ahead_s: float) -> Decision:
        lag_s = self._lag_s(head.start, now)
        if lag_s < -WANDER_S:
            return Pause(self._step)
        return self._play(sequence, head, lag_s, ahead_s)

    def _play_in_time(self, sequence: int, head: _Packet, now: float, ahead_s: float) -> Decision:
        lag_s = self._lag_s(head.start, now)
        if lag_s < -EARLY_S:
            return self._make_up(self._step)
        catching_up = lag_s > SHED_S
        while catching_up and lag_s > STEP_S and len(self._packets) > 1:
            self._shed(sequence, head)
            sequence = min(self._packets)
            head = self._packets[sequence]
            lag_s = self._lag_s(head.start, now)
        if not head.is_copy:
            return self._play(sequence, head, lag_s, ahead_s)
        skipped = self._skipped(head, lag_s)
        self.stats.lost_s += skipped / self._clock_hz
        return self._play(sequence, head, lag_s - skipped / self._clock_hz, ahead_s, skipped)

    def _skipped(self, head: _Packet, lag_s: float) -> int:
        """Return how many ticks of a lost packet's copy come too late, and count it as recovered."""
        self.stats.lost += 1
        self.stats.recovered += 1
        late = math.ceil((lag_s - LATEST_COPY_FRAMES * self._frame_s - STEP_S - WANDER_S) / STEP_S)
        return min(max(0, late) * self._step, head.end - head.start)

    def _play(self, sequence: int, head: _Packet, lag_s: float, ahead_s: float, skipped: int = 0) -> Play:
        self._pass_by(sequence, head)
        self.stats.played_s += (head.end - head.start - skipped) / self._clock_hz
        blocks = 0 if -WANDER_S <= lag_s < STEP_S + WANDER_S else math.floor(lag_s / STEP_S)
        self.excess_s += SMOOTHING * (blocks * STEP_S + ahead_s - AHEAD_S - self.excess_s)
        self.wait_s += SMOOTHING * (lag_s - blocks * STEP_S - self.wait_s)
        return Play(head.payload, skipped)

    def _shed(self, sequence: int, head: _Packet) -> None:
        """Pass a packet by for its lateness; left as a gap it would be filled, which takes as long as playing it."""
        self.stats.shed += 1
        self.stats.lost_s += (head.end - head.start) / self._clock_hz
        self._pass_by(sequence, head)

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
