"""Mixes the speaker's block from the far end and the door's own tones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples, ratio, to_samples
from intercom.media.sound.resample import lowered_to

DUCKED_DB = -14.0
"""Gain of the far end under a tone: its voice is still understood, and the tone stands out."""


class Playing:
    """A tone that plays or is about to."""

    def __init__(self, name: str, samples: Samples, *, repeat: bool, asked_at: float, pause: int = 0) -> None:
        """`pause` is how many samples of silence follow."""
        self._samples = samples
        self._length = len(samples) + pause
        self._repeat = repeat
        self._position = 0
        self._stopped = False
        self.name = name
        self.asked_at = asked_at
        """Time of the call to play(), on the engine's clock."""
        self.first_written_at: float | None = None
        """Time at which the card got the first sample; None before."""
        self.finished = threading.Event()
        """Set when the last block was rendered, or the tone was stopped."""

    def stop(self) -> None:
        """End the tone with the current block; harmless when it has ended."""
        self._stopped = True

    def next_block(self, samples: int = BLOCK_SAMPLES) -> Samples | None:
        """Return the tone's next 10 ms, or as many samples; None at its end."""
        if self._stopped or (self._position >= self._length and not self._repeat):
            self.finished.set()
            return None
        block = self._samples[self._position : self._position + samples]
        self._position += samples
        if self._repeat and self._position >= self._length:
            self._position = 0
        if len(block) < samples:
            block = np.concatenate([block, SILENCE[len(block) : samples]])
        return block


def note_first_writes(tones: Sequence[tuple[Playing, Samples]], clock: Callable[[], float]) -> None:
    """Note when the card got each tone's first sample, if it was just now."""
    for tone, _ in tones:
        if tone.first_written_at is None:
            tone.first_written_at = clock()


class Mixer:
    """Sums blocks; a tone ducks the far end, fading in and out."""

    def __init__(self, gain_db: float = 0.0) -> None:
        self._gain = ratio(gain_db)
        self._far_gain = 1.0

    def set_gain_db(self, gain_db: float) -> None:
        """Set the gain of the whole mix from the next block on."""
        self._gain = ratio(gain_db)

    def mix(self, far: Samples | None, tones: Sequence[Samples]) -> Samples:
        """Return one block mixed from the far end's (None without a call) and the tones' blocks, as long as it."""
        wanted = ratio(DUCKED_DB) if tones else 1.0
        if far is not None and not tones and self._far_gain == wanted and self._gain == 1.0:
            return far
        total: npt.NDArray[np.float32] = np.zeros(BLOCK_SAMPLES if far is None else len(far), np.float32)
        if far is not None:
            total += far * np.linspace(self._far_gain, wanted, len(far), dtype=np.float32)
        for tone in tones:
            total += tone
        self._far_gain = wanted
        return to_samples(total * np.float32(self._gain))


class Aside:
    """Tones that the far end hears and the visitor does not, over the door's own sound. May be used on any thread."""

    def __init__(self, rate_hz: int = RATE_HZ) -> None:
        """`rate_hz` is the rate of the door's own sound; the tones are at 48 kHz."""
        self.playing: list[Playing] = []
        """The tones that are not over."""
        self._lowered = lowered_to(rate_hz)

    def play(self, tone: Playing) -> None:
        """Let the far end hear a tone from its beginning."""
        self.playing.append(tone)

    def clear(self) -> None:
        """Forget what the far end of the last call did not hear any more."""
        self.playing.clear()

    def over(self, block: Samples) -> Samples:
        """Return one block of the door's sound with the tones over it."""
        if not self.playing:
            return block
        tones: npt.NDArray[np.float32] = np.zeros(BLOCK_SAMPLES, np.float32)
        for tone in tuple(self.playing):
            heard = tone.next_block()
            if heard is None:
                self.playing.remove(tone)
            else:
                tones += heard
        return to_samples(block.astype(np.float32) + self._lowered(to_samples(tones)))
