"""Plays what the jitter buffer decides: decodes, conceals, and runs a little faster or slower to keep the delay.

The far end's clock, the network and the card never agree. Instead of dropping or doubling samples the sound is
resampled by up to 2 %, which nobody hears.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import soxr

from intercom.media.codec import Decoder
from intercom.media.errors import CodecError
from intercom.media.jitter import Conceal, JitterBuffer, JitterStats, Pause, Play, Recover
from intercom.media.sound import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples, level_db

FASTEST = 0.02
"""A third of a semitone: speech does not change with it."""
CORRECTION_PER_S = 0.5
"""Excess delay is worked off with a time constant of two seconds."""
DEAD_BAND_S = 0.001
QUIET_DB = -50.0
"""A pause in speech: shortening it is not heard."""
WORTH_CUTTING_S = 0.008
SLEW_SAMPLES = BLOCK_SAMPLES
MOST_STEPS = 64
"""A block never needs more decisions than this, whatever the packets hold."""


@dataclass(frozen=True, slots=True)
class PlayoutStats:
    """How the far end's sound arrives."""

    received: int
    """Packets."""
    lost: int
    """Packets that never came, or too late."""
    recovered: int
    """Of the lost, restored from redundancy."""
    late: int
    """Packets that came after their time."""
    duplicate: int
    """Packets that came twice."""
    shed: int
    """Packets dropped to catch up."""
    damaged: int
    """Packets that the codec refused."""
    lost_s: float
    """Sound that never reached the ear: lost and not recovered, or shed."""
    made_up_s: float
    """Sound made up: in place of what was lost, while a late packet was awaited, or to reach a higher target."""
    played_s: float
    """Sound played as received."""
    jitter_ms: float
    """Delay beyond the network's least that nearly all packets keep to."""
    target_ms: float
    """The delay that the buffer aims at."""
    excess_ms: float
    """How much more it has."""
    speed: float
    """Of the playout, 1 = as sent."""


class Playout:
    """The far end of a call as the engine pulls it. `put` and `pull` may be called from two threads."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._jitter = JitterBuffer(decoder.clock_hz)
        self._lock = threading.Lock()
        self._resampler = soxr.ResampleStream(
            RATE_HZ * (1 + FASTEST) * 1.01, RATE_HZ, 1, dtype="int16", quality="HQ", vr=True
        )
        self._resampler.set_io_ratio(RATE_HZ, RATE_HZ)
        self._speed = 1.0
        self._ready: Samples = np.zeros(0, np.int16)
        self._sounding = False
        self._damaged = 0

    def put(self, sequence: int, timestamp: int, payload: bytes, now: float) -> bool:
        """An RTP packet arrived; False when it is of no use."""
        try:
            ticks = self._decoder.length(payload)
        except CodecError:
            self._damaged += 1
            return False
        repairs = self._decoder.repairs(payload)
        with self._lock:
            return self._jitter.put(sequence, timestamp, payload, ticks, now, repairs=repairs)

    def put_soundless(self, sequence: int) -> None:
        """A packet of the same stream that holds no sound arrived, a telephone event: it is not lost."""
        with self._lock:
            self._jitter.put_soundless(sequence)

    def pull(self, now: float) -> Samples:
        """The next 480 samples for the speaker."""
        for _ in range(MOST_STEPS):
            if len(self._ready) >= BLOCK_SAMPLES:
                break
            with self._lock:
                decision = self._jitter.take(now + len(self._ready) / RATE_HZ)
                excess_s = self._jitter.excess_s
            if isinstance(decision, Pause) and not self._sounding:
                return SILENCE
            self._follow(excess_s)
            sound = self._sound_of(decision, excess_s)
            self._sounding = not isinstance(decision, Pause)
            self._ready = np.concatenate([self._ready, self._resampler.resample_chunk(sound)])
        block, self._ready = self._ready[:BLOCK_SAMPLES], self._ready[BLOCK_SAMPLES:]
        return block if len(block) == BLOCK_SAMPLES else SILENCE

    def _sound_of(self, decision: Play | Recover | Conceal | Pause, excess_s: float) -> Samples:
        if isinstance(decision, Play):
            try:
                return self._shorten_pause(self._decoder.decode(decision.payload), excess_s)
            except CodecError:
                self._damaged += 1
                return self._decoder.conceal(2 * BLOCK_SAMPLES)
        samples = decision.ticks * RATE_HZ // self._decoder.clock_hz
        if isinstance(decision, Recover):
            return self._decoder.recover(decision.following, samples)
        if isinstance(decision, Conceal):
            return self._decoder.conceal(samples)
        return SILENCE

    def _shorten_pause(self, sound: Samples, excess_s: float) -> Samples:
        """Work excess delay off where nobody speaks, up to half of a frame at a time."""
        if excess_s < WORTH_CUTTING_S or level_db(sound) > QUIET_DB:
            return sound
        cut = min(int(excess_s * RATE_HZ), len(sound) // 2)
        with self._lock:
            self._jitter.shorten(cut / RATE_HZ)
        return sound[cut:]

    def _follow(self, excess_s: float) -> None:
        wanted = excess_s * CORRECTION_PER_S if abs(excess_s) > DEAD_BAND_S else 0.0
        speed = 1 + min(max(wanted, -FASTEST), FASTEST)
        if abs(speed - self._speed) > 0.0001:
            self._speed = speed
            self._resampler.set_io_ratio(RATE_HZ * speed, RATE_HZ, SLEW_SAMPLES)

    def stats(self) -> PlayoutStats:
        """What happened so far, and the delay now."""
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
                jitter_ms=self._jitter.jitter_s * 1000,
                target_ms=self._jitter.target_s * 1000,
                excess_ms=self._jitter.excess_s * 1000,
                speed=self._speed,
            )
