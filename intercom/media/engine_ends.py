"""What hangs on the audio engine: the two ends of a call, and what takes out the echo between them."""

from __future__ import annotations

from typing import Protocol

from intercom.media.sound import Samples


class FarEnd(Protocol):
    """The other side's voice, asked for by the engine's thread."""

    def pull(self, now: float) -> Samples:
        """The next 480 samples to play."""


class NearEnd(Protocol):
    """Where the door's voice goes, called by the engine's thread."""

    def push(self, block: Samples, now: float) -> None:
        """The next 480 samples that were captured."""


Call = tuple[FarEnd, NearEnd]
"""What the engine carries: whom it plays, and whom it tells what it hears."""


class Canceller(Protocol):
    """Takes out of the microphone what the speaker played."""

    def played(self, block: Samples) -> None:
        """Exactly what was written to the speaker."""

    def clean(self, block: Samples) -> Samples:
        """The captured block without the echo."""

    def reset(self) -> None:
        """Forget the room: the device changed."""
