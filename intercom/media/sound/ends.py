"""The interfaces at the audio engine's edge: the two ends of a call, and the echo canceller."""

from __future__ import annotations

from typing import Protocol

from intercom.media.sound.format import Samples


class FarEnd(Protocol):
    """The far end's voice, pulled by the engine's thread."""

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        """Return the next 480 samples to play, or `shortest` for the next to be asked for earlier.

        Where `longest` has room for two such blocks, and both are there, it is both. It may be none while `spare_s` is
        not 0: what is to be played next may come within that time, and is asked for again.
        """


class NearEnd(Protocol):
    """The receiver of the door's voice, called by the engine's thread."""

    def push(self, block: Samples, now: float) -> None:
        """Take the next captured block, at the rate of what the engine's canceller returns, or at 48 kHz.

        `now`: when its last sample was captured.
        """


Call = tuple[FarEnd, NearEnd]
"""The two ends of the call that the engine carries: the one it plays, and the one it sends captured sound to."""


class Canceller(Protocol):
    """Removes the speaker's sound from the microphone's."""

    rate_hz: int
    """Sample rate of what `clean` returns, a whole fraction of 48 kHz."""

    def prepare(self) -> None:
        """Load what it needs, from any thread: a call then does not wait for it."""

    def begin(self, later: int) -> None:
        """Begin with what is played from now on: the microphone starts.

        `later`: how many more samples than usual the speaker has before that.
        """

    def played(self, sound: Samples) -> None:
        """Take exactly the block that was written to the speaker, or two at once."""

    def clean(self, sound: Samples, ahead: int) -> Samples:
        """Return one or two captured blocks without the echo.

        `ahead`: how many of the played samples were written before their time, because more came with them.
        """

    def reset(self) -> None:
        """Forget the room's echo path: the device changed."""
