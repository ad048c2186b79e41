"""Reads our capabilities in a call from the service's list (reference client, `computeCapabilities`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from intercom.signalwire.observable import Value
from intercom.signalwire.watched import Now, Stream


class OnOff(Struct, frozen=True):
    """Permission to switch something on, and to switch it off."""

    on: bool = False
    off: bool = False


class MemberCapabilities(Struct, frozen=True):
    """The actions that are allowed on a member."""

    mute_audio: OnOff = OnOff()
    mute_video: OnOff = OnOff()
    deaf: OnOff = OnOff()
    raisehand: OnOff = OnOff()
    microphone_volume: bool = False
    microphone_sensitivity: bool = False
    speaker_volume: bool = False
    position: bool = False
    meta: bool = False
    remove: bool = False
    audio_flags: bool = False
    denoise: bool = False
    lowbitrate: bool = False


class CallCapabilities(Struct, frozen=True):
    """The actions that are allowed in a call."""

    self_: MemberCapabilities = MemberCapabilities()
    """Actions allowed on ourselves."""
    member: MemberCapabilities = MemberCapabilities()
    """Actions allowed on other members."""
    end: bool = False
    set_layout: bool = False
    send_digit: bool = False
    vmuted_hide: OnOff = OnOff()
    lock: OnOff = OnOff()
    device: bool = False
    screenshare: bool = False


class SelfCapabilities:
    """Our capabilities in a call, now and at each change."""

    def __init__(self, state: Value[CallCapabilities]) -> None:
        self._state = state

    state: Now[CallCapabilities, CallCapabilities] = Now(lambda state: state)
    state_stream: Stream[CallCapabilities, CallCapabilities] = Stream(lambda state: state)
    self_: Now[CallCapabilities, MemberCapabilities] = Now(lambda state: state.self_)
    self_stream: Stream[CallCapabilities, MemberCapabilities] = Stream(lambda state: state.self_)
    member: Now[CallCapabilities, MemberCapabilities] = Now(lambda state: state.member)
    member_stream: Stream[CallCapabilities, MemberCapabilities] = Stream(lambda state: state.member)
    end: Now[CallCapabilities, bool] = Now(lambda state: state.end)
    end_stream: Stream[CallCapabilities, bool] = Stream(lambda state: state.end)
    set_layout: Now[CallCapabilities, bool] = Now(lambda state: state.set_layout)
    set_layout_stream: Stream[CallCapabilities, bool] = Stream(lambda state: state.set_layout)
    send_digit: Now[CallCapabilities, bool] = Now(lambda state: state.send_digit)
    send_digit_stream: Stream[CallCapabilities, bool] = Stream(lambda state: state.send_digit)
    vmuted_hide: Now[CallCapabilities, OnOff] = Now(lambda state: state.vmuted_hide)
    vmuted_hide_stream: Stream[CallCapabilities, OnOff] = Stream(lambda state: state.vmuted_hide)
    lock: Now[CallCapabilities, OnOff] = Now(lambda state: state.lock)
    lock_stream: Stream[CallCapabilities, OnOff] = Stream(lambda state: state.lock)
    device: Now[CallCapabilities, bool] = Now(lambda state: state.device)
    device_stream: Stream[CallCapabilities, bool] = Stream(lambda state: state.device)
    screenshare: Now[CallCapabilities, bool] = Now(lambda state: state.screenshare)
    screenshare_stream: Stream[CallCapabilities, bool] = Stream(lambda state: state.screenshare)


def compute(flags: Sequence[str]) -> CallCapabilities:
    """Return the capabilities in the service's list, for example ["self.mute", "member.mute.audio.off", "layout"].

    A parent grants all that is below it; ".on" and ".off" grant one direction only.
    """
    return CallCapabilities(
        self_=_member(flags, "self"),
        member=_member(flags, "member"),
        end="end" in flags,
        set_layout=any(flag.startswith("layout") for flag in flags),
        send_digit=any(flag.startswith("digit") for flag in flags),
        vmuted_hide=_on_off(flag for flag in flags if flag.startswith("vmuted")),
        lock=_on_off(flag for flag in flags if flag.startswith("lock")),
        device="device" in flags,
        screenshare="screenshare" in flags,
    )


def _member(flags: Sequence[str], who: str) -> MemberCapabilities:
    def granting(parent: str, name: str = "") -> list[str]:
        whole = f"{who}.{parent}.{name}" if name else f"{who}.{parent}"
        return [flag for flag in flags if flag in {who, f"{who}.{parent}"} or flag.startswith(whole)]

    return MemberCapabilities(
        mute_audio=_on_off(granting("mute", "audio")),
        mute_video=_on_off(granting("mute", "video")),
        deaf=_on_off(granting("deaf")),
        raisehand=_on_off(granting("raisehand")),
        microphone_volume=bool(granting("microphone", "volume")),
        microphone_sensitivity=bool(granting("microphone", "sensitivity")),
        speaker_volume=bool(granting("speaker", "volume")),
        position=bool(granting("position")),
        meta=bool(granting("meta")),
        remove=bool(granting("remove")),
        audio_flags=bool(granting("audioflags")),
        denoise=bool(granting("denoise")),
        lowbitrate=bool(granting("lowbitrate")),
    )


def _on_off(flags: Iterable[str]) -> OnOff:
    found = list(flags)
    return OnOff(
        on=any(not flag.endswith(".off") for flag in found), off=any(not flag.endswith(".on") for flag in found)
    )
