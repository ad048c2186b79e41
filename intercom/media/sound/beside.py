"""Whoever hears the microphone, and speaks at the door, beside the call: a recorder, a dashboard."""

from __future__ import annotations

import threading
from collections.abc import Callable

from intercom.media.sound.ends import FarEnd, NearEnd


class BesideCall:
    """The listeners and the one voice beside the call, which comes first: the voice is heard only without a call.

    The engine reads both at each turn; every method may be called from any thread. A listener is called on the engine's
    thread, must return at once and may not raise.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self.listeners: tuple[NearEnd, ...] = ()
        """Receivers of what the microphone captures; it runs while there is one."""
        self.voice: FarEnd | None = None
        """Voice that is played while no call has the speaker."""

    def listen(self, near: NearEnd) -> None:
        """Let `near` hear the microphone, call or not, until `leave`."""
        with self._lock:
            self.listeners = (*self.listeners, near)
        self._wake()

    def leave(self, near: NearEnd) -> None:
        """Let `near` hear no more; harmless when it does not."""
        with self._lock:
            self.listeners = tuple(other for other in self.listeners if other is not near)
        self._wake()

    def speak(self, voice: FarEnd) -> None:
        """Play this voice, in place of another, until `hush`."""
        self.voice = voice
        self._wake()

    def hush(self, voice: FarEnd) -> None:
        """End this voice; harmless when another has taken its place."""
        with self._lock:
            if self.voice is voice:
                self.voice = None
        self._wake()
