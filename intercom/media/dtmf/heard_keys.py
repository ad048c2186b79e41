"""The keys of a call's far end, and a check whether a key is the echo of our own sound."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import Observable
from reactivex.subject import Subject

from intercom.media.dtmf.in_band import HeardKey
from intercom.media.dtmf.sent_sound import SentSound
from intercom.media.rtp.far_end import FarEndSound

LATE_S = 0.5
"""Age beyond which a tone is ignored: the memory of our own sound may not reach back to it."""


class HeardKeys:
    """Collects the keys of a call's far end; use it on one event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._digits: Subject[str] = Subject()
        self._tones: Subject[tuple[str, float | None]] = Subject()
        self._far_end = FarEndSound(self._digits.on_next, self._heard_tone, clock)
        self._memory = SentSound()

    @property
    def digits_stream(self) -> Observable[str]:
        """Stream of the keys that the far end sends as RFC 4733 events, each once."""
        return self._digits

    @property
    def tones_stream(self) -> Observable[tuple[str, float | None]]:
        """Stream of the keys heard in the far end's sound, where that is wanted and it sends no events.

        With each the seconds since our own sound held it, which makes it an echo; None when it did not.
        """
        return self._tones

    def sent_key_s(self, key: str) -> float | None:
        """Return the seconds since our own sound held this key's tones; None when it did not in the last two."""
        return self._memory.held_key_s(key, self._clock())

    def _heard_tone(self, heard: HeardKey, at: float) -> None:
        if self._clock() - at <= LATE_S:
            self._tones.on_next((heard.key, self._memory.held_key_s(heard.key, at, heard.levels)))

    def _no_more_keys(self) -> None:
        self._digits.on_completed()
        self._tones.on_completed()
