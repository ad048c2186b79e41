"""Stands in for a device while it is away: its clock, and for the far end a murmur and a notice.

Without it a call would fall silent when a plug is pulled, and what the far end said meanwhile would pile up.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from intercom.media.sound.format import BLOCK_SAMPLES, FULL_SCALE, RATE_HZ, Samples, block_samples, ratio, to_samples
from intercom.media.sound.resample import lowered_to

COMFORT_DB = -62.0
"""Level of the comfort noise: quieter than any room, and yet no dead line (as ITU-T G.711 Appendix II says)."""
COMFORT_S = 2.0
"""Length of the noise before it repeats: longer than the ear remembers."""
NOTICE_EVERY_S = 6.0
"""Interval between two notices: often enough to be understood, seldom enough to be able to think."""
EVEN_DEVIATION = 256 / 12**0.5
"""Standard deviation of a uniformly random byte."""
BEHIND_S = 0.1
"""Lateness beyond which missed blocks are skipped."""
BLOCK_S = BLOCK_SAMPLES / RATE_HZ


class Pace:
    """The clock of a device that is away: counts the blocks of 10 ms that it would have moved."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def follow(self, next_at: float) -> None:
        """Note when the device itself has its next block: those in its place begin then."""
        self._next_at = next_at

    def missing(self, now: float) -> list[float]:
        """Return the times of the blocks due by now, to the nearest; none where none was moved just before."""
        return [] if now - self._next_at > BEHIND_S else self.times(now + BLOCK_S / 2)

    def due(self, now: float) -> int:
        """Return the blocks due since the last look."""
        return len(self.times(now))

    def times(self, now: float) -> list[float]:
        """Return the times of the blocks due since the last look: who takes them late is not to see a gap."""
        first = self._next_at  # once: another thread may begin a call
        if now < first:
            return []
        if now - first > BEHIND_S:
            first = now
        blocks = 1 + int((now - first) / BLOCK_S)
        self._next_at = first + blocks * BLOCK_S
        return [first + number * BLOCK_S for number in range(blocks)]

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next block is due."""
        return max(0.0, self._next_at - now)


class Murmur:
    """The far end's sound while the door's microphone is away: comfort noise, and every few seconds a notice."""

    def __init__(self, notice: Samples, rate_hz: int = RATE_HZ) -> None:
        """`notice` is at 48 kHz, what the far end gets at `rate_hz`."""
        # The sum of four even ones is normal enough for the ear, and spares a door NumPy's random numbers.
        even = np.frombuffer(Random(4733).randbytes(4 * int(COMFORT_S * rate_hz)), np.int8).reshape(4, -1)  # noqa: S311
        normal = even.sum(axis=0, dtype=np.float32) / np.float32(EVEN_DEVIATION * 2)
        self._noise = to_samples(normal * np.float32(ratio(COMFORT_DB) * FULL_SCALE))
        blocks = -(-len(notice) // BLOCK_SAMPLES)
        self._notice = np.concatenate([notice, np.zeros(blocks * BLOCK_SAMPLES - len(notice), np.int16)])
        self._lowered, self._block = lowered_to(rate_hz), block_samples(rate_hz)
        self._at = 0

    def begin(self) -> None:
        """Start with the notice: the device has just gone."""
        self._at = 0

    def next_block(self) -> Samples:
        """Return the next block."""
        return self.over(self.noise())

    def noise(self) -> Samples:
        """Return a block of the noise alone."""
        at = self._at // BLOCK_SAMPLES * self._block % len(self._noise)
        return self._noise[at : at + self._block]

    def over(self, block: Samples) -> Samples:
        """Return a block of the door's own sound with the notice over it: only the speaker is away."""
        said = self._at % int(NOTICE_EVERY_S * RATE_HZ)
        self._at += BLOCK_SAMPLES
        if said >= len(self._notice):
            return block
        return to_samples(block.astype(np.float32) + self._lowered(self._notice[said : said + BLOCK_SAMPLES]))


class MicrophoneStandIn:
    """What the far end gets in a microphone's place, as many blocks as the microphone would have given.

    With more or fewer each loss, and each return, would delay all that follows, and the far end wait for it.
    """

    def __init__(self, notice: Samples, rate_hz: int = RATE_HZ) -> None:
        self._murmur = Murmur(notice, rate_hz)
        self._pace = Pace()
        self.relieved = False
        """Whether the microphone has started, and nothing that it captured has come."""
        self.follow = self._pace.follow
        """Note when the next block after those that were captured is complete."""
        self.begin = self._murmur.begin
        """Start with the notice: a device has just gone."""
        self.over = self._murmur.over
        """Return a block of the door's own sound with the notice over it."""
        self.wait_s = self._pace.wait_s
        """Return the seconds until the next block is due."""

    def begin_call(self) -> None:
        """Begin a stream: nothing was sent in it."""
        self._pace.follow(0.0)
        self.begin()

    def due(self, now: float) -> Iterator[tuple[Samples, float]]:
        """Yield the blocks due since the last one, its own or the microphone's, and the time of each."""
        for at in self._pace.times(now):
            yield self._murmur.next_block(), at

    def is_relieved(self) -> None:
        """Note that the microphone starts."""
        self.relieved = True

    def before(self, begin: float) -> Iterator[tuple[Samples, float]]:
        """Yield what is missing before a microphone's first sound: noise, and each block's time.

        `begin`: when its first sample was captured.
        """
        self.relieved = False
        for at in self._pace.missing(begin):
            yield self._murmur.noise(), at
