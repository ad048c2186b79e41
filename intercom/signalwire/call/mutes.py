"""The mutes of a call, its microphone gain and its push to talk (protocol.md §5)."""

from __future__ import annotations

from typing import Any, Literal

from intercom.signalwire.call.media_slot import MediaSlot
from intercom.signalwire.errors import InvalidStateError, MediaError
from intercom.signalwire.media import MutableMedia, VolumeMedia
from intercom.signalwire.observable import Happenings, Value

Silencer = Literal["user", "client", "bandwidth", "push to talk", "another member", "deaf far end"]
"""Parties that may mute; each can lift only its own mute."""


class Mutes:
    """Which media of one call is sent and received, and how loud we are."""

    def __init__(self, slot: MediaSlot) -> None:
        self.muted: Value[frozenset[str]] = Value(frozenset())
        """The muted kinds, of "audio" and "video"."""
        self.gain_percent: Value[int] = Value(100)
        """Gain of our audio, percent."""
        self._slot = slot
        self._not_received: set[str] = set()
        self._silenced: dict[str, set[Silencer]] = {"audio": set(), "video": set()}
        self._push_to_talk = False

    def switch(self, kind: str, on: bool, by: Silencer = "user") -> None:
        """Mute or unmute `kind` for one party; it is sent while no party mutes it."""
        silencers = self._silenced[kind]
        if on:
            silencers.discard(by)
        else:
            silencers.add(by)
        muted = frozenset(kind for kind, silencers in self._silenced.items() if silencers)
        if muted != self.muted.value:
            self._tell_media(kind, not silencers)
            self.muted.set(muted)

    def apply(self) -> None:
        """Apply the mutes to media that has just been opened."""
        for kind in self.muted.value:
            self._tell_media(kind, False)

    def toggle_receiving(self, kind: str) -> None:
        """Play `kind` of the far end, or drop it; raises `MediaError` when the media cannot."""
        media = self._slot.media
        if not isinstance(media, MutableMedia):
            raise MediaError("This call's media provider cannot drop what comes in.")
        on = kind in self._not_received
        media.set_receiving(kind, on)
        self._not_received ^= {kind}

    def set_gain(self, percent: int) -> None:
        """Set the gain of our audio, 0 to 200 percent; a higher value is cut to that."""
        percent = min(max(percent, 0), 200)
        media = self._slot.media
        if isinstance(media, VolumeMedia):
            media.set_microphone_gain(percent)
        self.gain_percent.set(percent)

    def set_push_to_talk(self, enabled: bool) -> None:
        """Send our audio only while the push-to-talk key is pressed, or all the time again."""
        self._push_to_talk = enabled
        self.switch("audio", not enabled, "push to talk")

    def press_to_talk(self, active: bool) -> None:
        """Press or release the push-to-talk key; raises `InvalidStateError` without push to talk."""
        if not self._push_to_talk:
            raise InvalidStateError("Push to talk is off; call enable_push_to_talk() first.")
        self.switch("audio", active, "push to talk")

    def streams(self) -> list[Happenings[Any]]:
        """Return the streams, which end with the call."""
        return [self.muted, self.gain_percent]

    def _tell_media(self, kind: str, on: bool) -> None:
        media = self._slot.media
        if isinstance(media, MutableMedia):
            media.set_sending(kind, on)
