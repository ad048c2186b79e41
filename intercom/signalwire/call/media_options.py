"""Decides the media of a call: the program's wish comes first, then the address, then the client's preferences."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from intercom.signalwire.errors import InvalidParamsError
from intercom.signalwire.preferences import ClientPreferences

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


class MediaDirections(Struct, frozen=True):
    """The direction of each kind of media (W3C RTCRtpTransceiverDirection)."""

    audio: Direction
    video: Direction


class AskedMedia(Struct, frozen=True):
    """The program's wishes for one call; None leaves one to the address and the preferences."""

    audio: bool | None = None
    video: bool | None = None
    receive_audio: bool | None = None
    receive_video: bool | None = None
    fallback_to_receive_only: bool = True


class MediaOptions(Struct, frozen=True):
    """The media that a call sends and receives."""

    audio: bool = True
    """Whether we send audio."""
    video: bool = False
    """Whether we send video."""
    receive_audio: bool = True
    """Whether we receive audio."""
    receive_video: bool = False
    """Whether we receive video."""
    fallback_to_receive_only: bool = True
    """Whether the call goes on, and only receives, when our own media cannot be opened."""

    @property
    def kinds(self) -> tuple[bool, bool]:
        """Whether the call has (audio, video), in any direction."""
        return self.audio or self.receive_audio, self.video or self.receive_video

    @property
    def directions(self) -> MediaDirections:
        """The direction of each kind."""
        return MediaDirections(direction(self.audio, self.receive_audio), direction(self.video, self.receive_video))

    @property
    def may_only_receive(self) -> bool:
        """Whether the call may go on without our own media."""
        return self.fallback_to_receive_only and (self.receive_audio or self.receive_video)

    def receive_only(self) -> MediaOptions:
        """Return the options of the same call without our own media."""
        return msgspec.structs.replace(self, audio=False, video=False)


def choose_media(address: str, asked: AskedMedia, preferences: ClientPreferences) -> MediaOptions:
    """Return what a call of this address sends and receives; raises `InvalidParamsError` when that is nothing.

    It is audio alone, unless the address says `?channel=video` or the program asks for more.
    """
    video = "video" in parse_qs(address.partition("?")[2]).get("channel", ())
    options = MediaOptions(
        audio=_first(asked.audio, True),
        video=_first(asked.video, video),
        receive_audio=_first(asked.receive_audio, preferences.receive_audio),
        receive_video=_first(asked.receive_video, video or preferences.receive_video),
        fallback_to_receive_only=asked.fallback_to_receive_only,
    )
    if not any(options.kinds):
        raise InvalidParamsError("A call needs audio or video, sent or received; ask for one of them.")
    return options


def direction(send: bool, receive: bool) -> Direction:
    """Return the direction of a kind of media."""
    if send:
        return "sendrecv" if receive else "sendonly"
    return "recvonly" if receive else "inactive"


def _first(asked: bool | None, otherwise: bool) -> bool:
    return otherwise if asked is None else asked
