"""Decides what each member of a call may do: only what some end carries out, for the space touches no media.

A mute is carried out by the end that sends; a volume and deafness by the end that hears. Our clients say in their agent
that they do both. The reference client mutes itself alone, and takes new constraints for its own microphone and camera.
"""

from __future__ import annotations

from typing import Final

from intercom.signalwire.wire.agents import carries_out, is_mutable
from intercom.space.switch.calls.sdp import is_reference

ALWAYS: Final = (
    "self.mute.audio",
    "self.mute.video",
    "self.raisehand",
    "self.position.set",
    "member.raisehand",
    "member.position.set",
    "member.remove",
    "layout.set",
    "digit.send",
    "lock",
    "end",
)
"""Capabilities of every member of every call."""
CONSTRAINTS: Final = ("audioflags.set", "lowbitrate.set")
"""Capabilities that a client has whose microphone and camera take constraints (verto.mediaParams)."""
COMPONENT_NAMES: Final = {
    "member.mute.audio": "memberMuteAudio",
    "member.mute.video": "memberMuteVideo",
    "member.remove": "memberRemove",
}
"""Names by which the reference's participant controls look for a capability."""


def capabilities(me: str, far: str) -> list[str]:
    """Return the capabilities of the member whose client is the agent `me` in a call with the agent `far`."""
    granted = list(ALWAYS)
    if carries_out(me):
        granted += ["self.speaker.volume.set", "member.microphone.volume.set"]
    if carries_out(far):
        granted.append("self.microphone.volume.set")
    if carries_out(me) or carries_out(far):
        granted += ["self.deaf", "member.deaf"]
    if is_mutable(far):
        granted += ["member.mute.audio", "member.mute.video", "member.speaker.volume.set"]
    for who, agent in (("self", me), ("member", far)):
        if is_reference(agent):
            granted += [f"{who}.{name}" for name in CONSTRAINTS]
    return granted + [name for flag, name in COMPONENT_NAMES.items() if flag in granted]
