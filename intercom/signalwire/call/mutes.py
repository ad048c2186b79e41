"""Adds mutes, microphone gain and push to talk to a call (protocol.md §5)."""

from __future__ import annotations

from typing import Any, Literal

from reactivex import Observable

from intercom.signalwire.call.basic import BasicCall
from intercom.signalwire.call.dialog import Dialog
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.errors import InvalidStateError, MediaError
from intercom.signalwire.media import CallMedia, MutableMedia, VolumeMedia
from intercom.signalwire.observable import Happenings, Value

Silencer = Literal["user", "client", "bandwidth", "push to talk"]
"""Parties that may mute; each can lift only its own mute."""


class SilencedCall(BasicCall):
    """A call with mutes, microphone gain and push to talk."""

    def __init__(self, line: CallLine, dialog: Dialog, *, offer: str = "") -> None:
        super().__init__(line, dialog, offer=offer)
        self._muted: Value[frozenset[str]] = Value(frozenset())
        self._gain_percent: Value[int] = Value(100)
        self._not_received: set[str] = set()
        self._silenced: dict[str, set[Silencer]] = {"audio": set(), "video": set()}
        self._push_to_talk = False

    @property
    def audio_muted(self) -> bool:
        """Whether we send silence."""
        return "audio" in self._muted.value

    @property
    def video_muted(self) -> bool:
        """Whether we send no video."""
        return "video" in self._muted.value

    @property
    def muted_stream(self) -> Observable[frozenset[str]]:
        """The muted kinds, of "audio" and "video", now and at each change."""
        return self._muted.stream

    async def toggle_incoming_audio(self) -> None:
        """Play the far end's audio, or drop it."""
        self._toggle_receiving("audio")

    async def toggle_incoming_video(self) -> None:
        """Show the far end's video, or drop it."""
        self._toggle_receiving("video")

    @property
    def local_microphone_gain(self) -> int:
        """Gain of our audio, percent."""
        return self._gain_percent.value

    @property
    def local_microphone_gain_stream(self) -> Observable[int]:
        """Gain of our audio, percent, now and at each change."""
        return self._gain_percent.stream

    def set_local_microphone_gain(self, percent: int) -> None:
        """Set the gain of our audio, 0 to 200 percent; a higher value is cut to that."""
        percent = min(max(percent, 0), 200)
        if isinstance(self._media, VolumeMedia):
            self._media.set_microphone_gain(percent)
        self._gain_percent.set(percent)

    def enable_push_to_talk(self) -> None:
        """Send our audio only while `set_push_to_talk_active(True)`."""
        self._push_to_talk = True
        self.switch("audio", False, "push to talk")

    def disable_push_to_talk(self) -> None:
        """Send our audio all the time again, unless it is muted otherwise."""
        self._push_to_talk = False
        self.switch("audio", True, "push to talk")

    def set_push_to_talk_active(self, active: bool) -> None:
        """Press or release the push-to-talk key; raises `InvalidStateError` without push to talk."""
        if not self._push_to_talk:
            raise InvalidStateError("Push to talk is off; call enable_push_to_talk() first.")
        self.switch("audio", active, "push to talk")

    def switch(self, kind: str, on: bool, by: Silencer = "user") -> None:
        """Mute or unmute `kind` for one party; it is sent while no party mutes it."""
        silencers = self._silenced[kind]
        if on:
            silencers.discard(by)
        else:
            silencers.add(by)
        muted = frozenset(kind for kind, silencers in self._silenced.items() if silencers)
        if muted != self._muted.value:
            self._tell_media(kind, not silencers)
            self._muted.set(muted)

    def _tell_media(self, kind: str, on: bool) -> None:
        if isinstance(self._media, MutableMedia):
            self._media.set_sending(kind, on)

    def _open_media(self, *, audio: bool, video: bool) -> CallMedia:
        media = super()._open_media(audio=audio, video=video)
        for kind in self._muted.value:
            self._tell_media(kind, False)
        return media

    def _toggle_receiving(self, kind: str) -> None:
        if not isinstance(self._media, MutableMedia):
            raise MediaError("This call's media provider cannot drop what comes in.")
        on = kind in self._not_received
        self._media.set_receiving(kind, on)
        self._not_received ^= {kind}

    def _streams(self) -> list[Happenings[Any]]:
        return [*super()._streams(), self._muted, self._gain_percent]
