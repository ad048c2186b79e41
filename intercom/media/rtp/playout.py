"""Executes the jitter buffer's decisions: decodes, conceals, and resamples slightly to keep the delay at its target.

The far end's clock, the network and the card never agree. Instead of dropping or doubling samples the sound is
resampled by up to 2 %, which nobody hears.

Whether a packet comes just before the speaker's turn or just after it is chance, and may cost a block. While a stream
begins the blocks are shorter, and as much sound is played in less time, until the turn comes soon after the packet.

A packet that is not there when it is asked for is waited for as long as the speaker's queue can spare: it is played as
if it had been there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intercom.media.codec.interface import Decoder
from intercom.media.errors import CodecError
from intercom.media.rtp.jitter import AHEAD_S, Conceal, JitterBuffer, JitterStats, Pause, Play, Recover
from intercom.media.rtp.redundancy import Block
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, SPARE_S, Samples, level_db
from intercom.media.sound.pitch import without_a_period
from intercom.media.sound.varispeed import Varispeed

FASTEST = 0.02
"""Limit of the playout's speed change, a third of a semitone: speech does not audibly change."""
CORRECTION_PER_S = 4.0
"""Rate at which excess delay is removed: the last 5 ms with a time constant of a quarter of a second, more than that as
fast as may be, 20 ms in a second."""
DEAD_BAND_S = 0.001
"""Limit of the excess delay below which the speed stays at 1."""
QUIET_DB = -50.0
"""Level below which sound is a pause in speech: shortening it is not heard."""
WORTH_CUTTING_S = 0.008
"""Excess delay above which sound is cut out, pauses and periods of a voice, not to be late for longer than needed."""
ALIGN_FOR_S = 1.0
"""Time from a stream's first packet in which the speaker's turn is moved: a whole block takes half of it. For five
seconds more the canceller follows no drift of the clocks."""
ALIGNED_S = 0.003
"""Limit of the wait for the turn down to which it is moved: clocks that differ by 20 ppm take two minutes to bring the
turn before the packets, and then each waits for the next one."""
LONGEST_WAIT_S = 2 * SPARE_S
"""Limit of the time for which a packet was waited for, after which the speaker is asking for another block."""
MOST_STEPS = 64
"""Limit of decisions for one block, whatever the packets hold."""


@dataclass(frozen=True, slots=True)
class PlayoutStats:
    """Figures of the far end's playout."""

    received: int
    """Packets received."""
    lost: int
    """Packets that never came, or came too late."""
    recovered: int
    """Lost packets recovered from redundancy."""
    late: int
    """Packets that came after their playout."""
    duplicate: int
    """Packets received twice."""
    shed: int
    """Packets dropped to catch up."""
    damaged: int
    """Packets that the codec refused."""
    lost_s: float
    """Sound that was never played: lost and not recovered, or shed."""
    made_up_s: float
    """Sound concealed: in place of lost sound, while a late packet was awaited, or to reach a higher target."""
    played_s: float
    """Sound played as received."""
    jitter_ms: float
    """Delay beyond the network's least that nearly all packets keep to."""
    speed: float
    """Speed of the playout, 1 = as sent."""


class Playout:
    """Plays the far end's packets when the engine pulls; `put` and `pull` may be called from two threads."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._jitter = JitterBuffer(decoder.clock_hz, self._length)
        self._lock = threading.Lock()
        self._varispeed = Varispeed()
        self._speed = 1.0
        self._block = BLOCK_SAMPLES
        self._first_at: float | None = None
        self._waits_since: float | None = None
        self._ready: Samples = np.zeros(int(AHEAD_S * RATE_HZ), np.int16)
        self._sounding = False
        self._damaged = 0
        self.keeps_tones = False
        "Whether no period of the pitch is cut out: where keys are listened for, a cut tells a long one twice."

    def put(self, sequence: int, timestamp: int, payload: bytes, now: float, earlier: Sequence[Block] = ()) -> bool:
        """Take an RTP packet, and the sound of packets before it that came with it; False when it is useless."""
        try:
            ticks = self._decoder.length(payload)
        except CodecError:
            self._damaged += 1
            return False
        repairs = self._decoder.repairs(payload)
        with self._lock:
            return self._jitter.put(sequence, timestamp, payload, ticks, now, repairs=repairs, copies=earlier)

    def _length(self, payload: bytes) -> int:
        try:
            return self._decoder.length(payload)
        except CodecError:
            return 0

    def put_soundless(self, sequence: int) -> None:
        """Count a telephone event of the same stream, so that it does not count as lost."""
        with self._lock:
            self._jitter.put_soundless(sequence)

    def pull(
        self, now: float, shortest: int = BLOCK_SAMPLES, longest: int = BLOCK_SAMPLES, spare_s: float = 0.0
    ) -> Samples:
        """Return the next 480 samples for the speaker, or `shortest` where its next turn is to come earlier.

        Two such blocks where they are there and `longest` has room for them: no packet is asked for between them. None
        where the next packet is awaited, and the speaker has `spare_s` until it needs something.
        """
        if self._waits_since is None or now - self._waits_since > LONGEST_WAIT_S:
            self._waits_since = None
            self._jitter.target.is_spared = spare_s > 0
        else:
            now = self._waits_since
        if self._block < shortest:
            self._block = BLOCK_SAMPLES
        for _ in range(MOST_STEPS):
            if len(self._ready) >= self._block:
                break
            with self._lock:
                if spare_s > 0 and self._jitter.awaits_packet():
                    self._waits_since = now
                    return SILENCE[:0]
                decision = self._jitter.take(now, len(self._ready) / RATE_HZ)
                excess_s, wait_s = self._jitter.excess_s, self._jitter.wait_s
            self._waits_since = None
            if isinstance(decision, Pause) and not self._sounding:
                return SILENCE
            if self._first_at is None and isinstance(decision, Play):
                self._first_at = now
            self._block = self._next_block(wait_s, now, shortest)
            self._speed = min(speed_for(excess_s) * BLOCK_SAMPLES / self._block, 1 + FASTEST)
            sound = self._sound_of(decision, excess_s)
            self._sounding = not isinstance(decision, Pause)
            self._ready = np.concatenate([self._ready, self._varispeed.run(sound, self._speed)])
        length = self._block if len(self._ready) < 2 * self._block or longest < 2 * BLOCK_SAMPLES else 2 * self._block
        block, self._ready = self._ready[:length], self._ready[length:]
        return block if len(block) == length else SILENCE

    def _next_block(self, wait_s: float, now: float, shortest: int) -> int:
        """Return the length of the block that is to play what would fill a whole one."""
        begins = self._first_at is not None and now - self._first_at < ALIGN_FOR_S
        return shortest if begins and wait_s > ALIGNED_S else BLOCK_SAMPLES

    def _sound_of(self, decision: Play | Recover | Conceal | Pause, excess_s: float) -> Samples:
        if isinstance(decision, Play):
            try:
                sound = self._decoder.decode(decision.payload)
                skipped = decision.skipped * RATE_HZ // self._decoder.clock_hz
                return sound[skipped:] if skipped else self._shorten(sound, excess_s)
            except CodecError:
                self._damaged += 1
                return self._decoder.conceal(2 * BLOCK_SAMPLES)
        samples = decision.ticks * RATE_HZ // self._decoder.clock_hz
        if isinstance(decision, Recover):
            return self._decoder.recover(decision.following, samples)
        if isinstance(decision, Conceal):
            return self._decoder.conceal(samples)
        return SILENCE

    def _shorten(self, sound: Samples, excess_s: float) -> Samples:
        """Remove excess delay: up to half of a frame where nobody speaks, else a period of the voice's pitch."""
        if excess_s < WORTH_CUTTING_S:
            return sound
        most = int(excess_s * RATE_HZ)
        is_quiet = level_db(sound) <= QUIET_DB
        if self.keeps_tones and not is_quiet:
            return sound
        short = sound[min(most, len(sound) // 2) :] if is_quiet else without_a_period(sound, most)
        with self._lock:
            self._jitter.shorten((len(sound) - len(short)) / RATE_HZ)
        return short

    def stats(self) -> PlayoutStats:
        """Return the counts so far and the current delay."""
        with self._lock:
            counts: JitterStats = self._jitter.stats
            return PlayoutStats(
                received=counts.received,
                lost=counts.lost,
                recovered=counts.recovered,
                late=counts.late,
                duplicate=counts.duplicate,
                shed=counts.shed,
                damaged=self._damaged,
                lost_s=counts.lost_s,
                made_up_s=counts.made_up_s,
                played_s=counts.played_s,
                jitter_ms=self._jitter.target.jitter_s * 1000,
                speed=self._speed,
            )


def speed_for(excess_s: float) -> float:
    """Return the speed that removes the excess delay, or makes what is missing; 1 where it is hardly any."""
    if abs(excess_s) <= DEAD_BAND_S:
        return 1.0
    return 1 + min(max(excess_s * CORRECTION_PER_S, -FASTEST), FASTEST)
