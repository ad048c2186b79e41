"""Holds what the members of a call are told about each other and about their room."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from intercom.signalwire.wire.messages import new_id

LAYOUTS: Final = ("highlight-1-responsive", "full-screen")
"""Layouts: the far end with one's own picture in the corner, or the far end alone."""


class MemberState(Struct, frozen=True):
    """The state of one member that all members are told, under the names of the wire."""

    audio_muted: bool = False
    video_muted: bool = False
    deaf: bool = False
    handraised: bool = False
    input_volume: float = 0
    """Volume at which the others hear the member, -50 to 50."""
    output_volume: float = 0
    """Volume at which the member hears the others, -50 to 50."""
    input_sensitivity: float = 0
    """The level from which the member is heard, 0 to 100."""
    echo_cancellation: bool = True
    auto_gain: bool = True
    noise_suppression: bool = True
    lowbitrate: bool = False
    requested_position: str = "auto"


class Room(Struct, frozen=True):
    """The room of one call."""

    room_id: str = field(default_factory=new_id)
    room_session_id: str = field(default_factory=new_id)
    layout: str = LAYOUTS[0]
    locked: bool = False


class Membership(Struct, frozen=True):
    """One end of a call as a member of its room."""

    state: MemberState = MemberState()
    own_mutes: frozenset[str] = frozenset()
    """The kinds that the member has muted itself: nobody else opens its microphone or camera."""
