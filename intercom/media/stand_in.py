"""What takes a device's place while it is away: its clock, and for the far end a murmur and a notice.

Without it a call would fall silent when a plug is pulled, and what the far end said meanwhile would pile up.
"""

from __future__ import annotations

from random import Random

import numpy as np

from intercom.media.sound import BLOCK_SAMPLES, FULL_SCALE, RATE_HZ, Samples, ratio, to_samples

COMFORT_DB = -62.0
"""Quieter than any room, and yet no dead line (ITU-T G.711 Appendix II speaks of the same)."""
COMFORT_S = 2.0
"""Longer than the ear remembers noise."""
NOTICE_EVERY_S = 6.0
"""Often enough to be understood, seldom enough to think."""
EVEN_DEVIATION = 256 / 12**0.5
"""Of a byte that may be anything."""
BEHIND_S = 0.1
"""Whoever is so late goes on from now."""
BLOCK_S = BLOCK_SAMPLES / RATE_HZ


class Pace:
    """The clock of a device that is away: how many blocks of 10 ms it would have moved."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def due(self, now: float) -> int:
        """Blocks since the last look."""
        if now < self._next_at:
            return 0
        if now - self._next_at > BEHIND_S:
            self._next_at = now
        blocks = 1 + int((now - self._next_at) / BLOCK_S)
        self._next_at += blocks * BLOCK_S
        return blocks

    def wait_s(self, now: float) -> float:
        """Seconds until the next block is due."""
        return max(0.0, self._next_at - now)


class Murmur:
    """What the far end hears while the door cannot hear: comfort noise, and every few seconds a notice."""

    def __init__(self, notice: Samples) -> None:
        # The sum of four even ones is normal enough for the ear, and spares a door NumPy's random numbers.
        even = np.frombuffer(Random(4733).randbytes(4 * int(COMFORT_S * RATE_HZ)), np.int8).reshape(4, -1)  # noqa: S311
        normal = even.sum(axis=0, dtype=np.float32) / np.float32(EVEN_DEVIATION * 2)
        self._noise = to_samples(normal * np.float32(ratio(COMFORT_DB) * FULL_SCALE))
        blocks = -(-len(notice) // BLOCK_SAMPLES)
        self._notice = np.concatenate([notice, np.zeros(blocks * BLOCK_SAMPLES - len(notice), np.int16)])
        self._at = 0

    def begin(self) -> None:
        """The device went: the notice comes first."""
        self._at = 0

    def next_block(self) -> Samples:
        """The next 480 samples."""
        at = self._at % len(self._noise)
        return self.over(self._noise[at : at + BLOCK_SAMPLES])

    def over(self, block: Samples) -> Samples:
        """480 samples of the door's own with the notice over them: it hears, and cannot be heard."""
        said = self._at % int(NOTICE_EVERY_S * RATE_HZ)
        self._at += BLOCK_SAMPLES
        if said >= len(self._notice):
            return block
        return to_samples(block.astype(np.float32) + self._notice[said : said + BLOCK_SAMPLES])
