"""Lets the engine's two turns, the speaker's and the microphone's, fall together: each costs as much as a block."""

from __future__ import annotations

from intercom.media.cards.pcm_line import CaptureLine, PlaybackLine
from intercom.media.sound.cleaning import Cleaning
from intercom.media.sound.energy import energy
from intercom.media.sound.format import RATE_HZ, SILENCE, Samples, energy_db, level_db
from intercom.media.sound.waking import FrameTime

PATIENCE_S = 0.002
"""Limit of the speaker's wait for the microphone's frame: its queue then bears so much less of a late thread."""
AIM_S = 0.00075
"""Time from the speaker's turn to the end of a frame that is moved: cards tell their place 1 ms late or early."""
SETTLED_S = 1.0
"""Time in which the speaker's turns must have been even, before the microphone's are moved to them."""
AGAIN_S = 10.0
"""Shortest time between two moves: a far end's packets may come late in a call, or clocks part."""
SILENT_DB = -50.0
"""Level up to which nobody speaks: nobody misses 20 ms of it."""
SILENT_S = 0.3
"""Time in which nothing was played: no echo is left for the canceller to compare. Else the far end would hear its
own for a tenth of a second, at -30 dB."""
REFERENCE_STEP = 3
"""Divisor of what is left out, in samples: the canceller takes every third."""


def together_s(speaker_s: float | None, microphone_s: float | None, *, even: bool) -> float | None:
    """Return the seconds until the next turn, the microphone's where an even speaker's comes just before it.

    What is written a little later is heard no later: it is queued.
    """
    if speaker_s is None or microphone_s is None:
        return microphone_s if speaker_s is None else speaker_s
    return microphone_s if microphone_s <= speaker_s + (PATIENCE_S if even else 0.0) else speaker_s


class Together:
    """Moves the microphone's turns to the speaker's, once these are even.

    Where a frame begins is free: up to a frame of what is captured is left out for it, once, in silence. What follows
    is heard no later for it.
    """

    def __init__(self, frames: FrameTime, cleaning: Cleaning) -> None:
        self._frames = frames
        self._cleaning = cleaning
        self._played = SILENCE
        self._look_at = self._loud_at = 0.0

    def begin(self, now: float) -> None:
        """Note that the microphone starts."""
        self._look_at = now + SETTLED_S

    def wrote(self, block: Samples, now: float) -> None:
        """Take what was written in the speaker's turn."""
        if len(block) != len(self._played):
            self._look_at = max(self._look_at, now + SETTLED_S)
        self._played = block
        if energy_db(energy(block), len(block)) > SILENT_DB:
            self._loud_at = now

    def bring(self, speaker: PlaybackLine | None, microphone: CaptureLine, now: float) -> None:
        """Let the microphone's next frame end at a turn of the speaker, where both cards are even and nobody speaks."""
        if now < self._look_at:
            return
        if speaker is None or not (speaker.is_even and microphone.is_even):
            return
        period_s = len(self._played) / RATE_HZ
        late_s = (self._frames.next_s(microphone.due_s(), now) - speaker.early_s(now)) % period_s
        if late_s <= PATIENCE_S:
            self._look_at = now + SETTLED_S
        elif now - self._loud_at > SILENT_S and level_db(self._cleaning.last) <= SILENT_DB:
            samples = int((period_s - late_s + AIM_S) * RATE_HZ) // REFERENCE_STEP * REFERENCE_STEP
            microphone.leave_out(samples)
            self._cleaning.leave_out(samples)
            self._look_at = now + AGAIN_S
