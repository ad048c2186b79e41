"""The keys of a call's far end, and whether they may be the echo of our own sound."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import Observable
from reactivex.subject import Subject

from intercom.media.far_end import FarEndSound
from intercom.media.in_band import HeardKey
from intercom.media.sent_sound import SentSound

LATE_S = 0.5
"""Age of a tone beyond which it counts for nothing: what we sent before it may be forgotten."""


class HeardKeys:
    """What of a call has to do with its far end's keys. Use it on one event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._digits: Subject[str] = Subject()
        self._tones: Subject[tuple[str, float | None]] = Subject()
        self._far_end = FarEndSound(self._digits.on_next, self._heard_tone, clock)
        self._memory = SentSound()

    @property
    def digits_stream(self) -> Observable[str]:
        """Every key that the far end sends as an RFC 4733 event, once."""
        return self._digits

    @property
    def tones_stream(self) -> Observable[tuple[str, float | None]]:
        """Every key that is heard in the far end's sound, where that is wanted and it sends no events.

        With each the seconds since our own sound held it, which makes it an echo; None when it did not.
        """
        return self._tones

    def sent_key_s(self, key: str) -> float | None:
        """Seconds since our own sound held this key's tones; None when it did not in the last two."""
        return self._memory.held_key_s(key, self._clock())

    def _heard_tone(self, heard: HeardKey, at: float) -> None:
        if self._clock() - at <= LATE_S:
            self._tones.on_next((heard.key, self._memory.held_key_s(heard.key, at, heard.levels)))

    def _no_more_keys(self) -> None:
        self._digits.on_completed()
        self._tones.on_completed()
