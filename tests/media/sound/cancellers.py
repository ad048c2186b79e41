"""Echo cancellers that cancel nothing and remember what an engine has told them."""

from __future__ import annotations

from intercom.media.sound.format import RATE_HZ, Samples
from tests.alsa import Heard


class CancellerMemory:
    """An echo canceller that remembers what it has to take out of the microphone's sound."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.told = Heard()

    def prepare(self) -> None:
        """Load nothing."""

    def begin(self, later: int = 0) -> None:
        """Forget nothing: the test looks at all of it."""

    def played(self, sound: Samples) -> None:
        self.told.add(sound.tobytes())

    def clean(self, sound: Samples, ahead: int = 0) -> Samples:
        return sound

    def reset(self) -> None:
        """Forget nothing: the test looks at all of it."""


class ForgetfulCanceller:
    """Cancels nothing, and knows how much it has heard since it was told to forget the room."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.heard = self.heard_since_reset = 0
        self.heard_before: list[int] = []
        "how much it had heard at each start of the microphone"

    def prepare(self) -> None:
        """Load nothing."""

    def begin(self, later: int = 0) -> None:
        self.heard_before.append(self.heard)

    def played(self, sound: Samples) -> None:
        self.heard += 1
        self.heard_since_reset += 1

    def clean(self, sound: Samples, ahead: int = 0) -> Samples:
        return sound

    def reset(self) -> None:
        self.heard_since_reset = 0
