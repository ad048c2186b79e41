"""The members of a call, and the actions on them (protocol.md §5, `call.*`)."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field
from reactivex import Observable

from intercom.signalwire.call.members.capabilities import SelfCapabilities
from intercom.signalwire.errors import BadFrameError, SignalWireError
from intercom.signalwire.observable import Value
from intercom.signalwire.watched import Now, Stream


class Member(Struct, frozen=True):
    """A member as the service describes it."""

    member_id: str
    call_id: str = ""
    node_id: str = ""
    name: str = ""
    type: str = "member"
    """Type: "member", "screen" or "device"."""
    handraised: bool = False
    visible: bool = False
    audio_muted: bool = False
    video_muted: bool = False
    deaf: bool = False
    input_volume: float | None = None
    output_volume: float | None = None
    input_sensitivity: float | None = None
    echo_cancellation: bool = False
    auto_gain: bool = False
    noise_suppression: bool = False
    lowbitrate: bool = False
    denoise: bool = False
    talking: bool = False
    is_audience: bool = field(default=False, name="isAudience")
    meta: dict[str, Any] = field(default_factory=dict)
    subscriber_id: str = ""
    address_id: str = ""


class LayoutLayer(Struct, frozen=True):
    """The position of a member in the picture; x, y, width and height in percent of it."""

    member_id: str | None = None
    position: str = "auto"
    layer_index: int = 0
    z_index: int = 0
    visible: bool = True
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


Execute = Callable[["str | Mapping[str, str]", str, Mapping[str, Any]], Awaitable[Any]]
"""Function (a member id in our own call, or a whole target; the method; its arguments) -> the result."""


class MemberRecord:
    """A member of a call as the service described it last; `Participant` shows it to the program."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = dict(raw)
        self.state = Value(read_member(self._raw))
        self.position: Value[LayoutLayer | None] = Value(None)

    def update(self, raw: Mapping[str, Any]) -> None:
        """Apply the changed fields; raises `BadFrameError` when they are malformed."""
        merged = {**self._raw, **raw}
        self.state.set(read_member(merged))
        self._raw = merged

    def place(self, layer: LayoutLayer | None) -> None:
        """Set the member's layer in the picture."""
        self.position.set(layer)


class Participant:
    """A member of a call."""

    def __init__(self, record: MemberRecord, execute: Execute) -> None:
        self._record = record
        self._state = record.state
        self._execute = execute

    name: Now[Member, str] = Now(lambda member: member.name)
    name_stream: Stream[Member, str] = Stream(lambda member: member.name)
    type: Now[Member, str] = Now(lambda member: member.type)
    type_stream: Stream[Member, str] = Stream(lambda member: member.type)
    handraised: Now[Member, bool] = Now(lambda member: member.handraised)
    handraised_stream: Stream[Member, bool] = Stream(lambda member: member.handraised)
    visible: Now[Member, bool] = Now(lambda member: member.visible)
    visible_stream: Stream[Member, bool] = Stream(lambda member: member.visible)
    audio_muted: Now[Member, bool] = Now(lambda member: member.audio_muted)
    audio_muted_stream: Stream[Member, bool] = Stream(lambda member: member.audio_muted)
    video_muted: Now[Member, bool] = Now(lambda member: member.video_muted)
    video_muted_stream: Stream[Member, bool] = Stream(lambda member: member.video_muted)
    deaf: Now[Member, bool] = Now(lambda member: member.deaf)
    deaf_stream: Stream[Member, bool] = Stream(lambda member: member.deaf)
    input_volume: Now[Member, float | None] = Now(lambda member: member.input_volume)
    input_volume_stream: Stream[Member, float | None] = Stream(lambda member: member.input_volume)
    output_volume: Now[Member, float | None] = Now(lambda member: member.output_volume)
    output_volume_stream: Stream[Member, float | None] = Stream(lambda member: member.output_volume)
    input_sensitivity: Now[Member, float | None] = Now(lambda member: member.input_sensitivity)
    input_sensitivity_stream: Stream[Member, float | None] = Stream(lambda member: member.input_sensitivity)
    echo_cancellation: Now[Member, bool] = Now(lambda member: member.echo_cancellation)
    echo_cancellation_stream: Stream[Member, bool] = Stream(lambda member: member.echo_cancellation)
    auto_gain: Now[Member, bool] = Now(lambda member: member.auto_gain)
    auto_gain_stream: Stream[Member, bool] = Stream(lambda member: member.auto_gain)
    noise_suppression: Now[Member, bool] = Now(lambda member: member.noise_suppression)
    noise_suppression_stream: Stream[Member, bool] = Stream(lambda member: member.noise_suppression)
    lowbitrate: Now[Member, bool] = Now(lambda member: member.lowbitrate)
    lowbitrate_stream: Stream[Member, bool] = Stream(lambda member: member.lowbitrate)
    denoise: Now[Member, bool] = Now(lambda member: member.denoise)
    denoise_stream: Stream[Member, bool] = Stream(lambda member: member.denoise)
    meta: Now[Member, dict[str, Any]] = Now(lambda member: member.meta)
    meta_stream: Stream[Member, dict[str, Any]] = Stream(lambda member: member.meta)
    node_id: Now[Member, str] = Now(lambda member: member.node_id)
    node_id_stream: Stream[Member, str] = Stream(lambda member: member.node_id)
    user_id: Now[Member, str] = Now(lambda member: member.subscriber_id)
    user_id_stream: Stream[Member, str] = Stream(lambda member: member.subscriber_id)
    address_id: Now[Member, str] = Now(lambda member: member.address_id)
    address_id_stream: Stream[Member, str] = Stream(lambda member: member.address_id)
    is_talking: Now[Member, bool] = Now(lambda member: member.talking)
    is_talking_stream: Stream[Member, bool] = Stream(lambda member: member.talking)
    id: Now[Member, str] = Now(lambda member: member.member_id)
    """The member's id in the call."""
    call_id: Now[Member, str] = Now(lambda member: member.call_id)
    """The id of the member's own leg of the call, which differs from our `WebRTCCall.id`; "" until the service tells.

    With `id` and `node_id` it is the whole target of `WebRTCCall.execute_method` on another member.
    """
    is_audience: Now[Member, bool] = Now(lambda member: member.is_audience)
    value: Now[Member, Member] = Now(lambda member: member)

    @property
    def position(self) -> LayoutLayer | None:
        """The member's position in the picture."""
        return self._record.position.value

    @property
    def position_stream(self) -> Observable[LayoutLayer | None]:
        """The member's position in the picture, now and at each change."""
        return self._record.position.stream

    # -- what can be done ------------------------------------------------------------------------------

    async def mute(self) -> None:
        """Mute the member."""
        await self._do("call.mute", channels=["audio"])

    async def unmute(self) -> None:
        """Unmute the member."""
        await self._do("call.unmute", channels=["audio"])

    async def toggle_mute(self) -> None:
        """Mute the member, or unmute them."""
        await (self.unmute() if self.audio_muted else self.mute())

    async def mute_video(self) -> None:
        """Hide the member's video."""
        await self._do("call.mute", channels=["video"])

    async def unmute_video(self) -> None:
        """Show the member's video."""
        await self._do("call.unmute", channels=["video"])

    async def toggle_mute_video(self) -> None:
        """Hide the member's video, or show it."""
        await (self.unmute_video() if self.video_muted else self.mute_video())

    async def toggle_deaf(self) -> None:
        """Turn the call's audio off for the member, or on again."""
        await self._do("call.undeaf" if self.deaf else "call.deaf")

    async def toggle_handraise(self) -> None:
        """Raise the member's hand, or lower it."""
        await self._do("call.lowerhand" if self.handraised else "call.raisehand")

    async def toggle_echo_cancellation(self) -> None:
        """Switch the member's echo cancellation."""
        await self._flags(echo_cancellation=not self.echo_cancellation)

    async def toggle_audio_input_auto_gain(self) -> None:
        """Switch the member's automatic gain."""
        await self._flags(auto_gain=not self.auto_gain)

    async def toggle_noise_suppression(self) -> None:
        """Switch the member's noise suppression."""
        await self._flags(noise_suppression=not self.noise_suppression)

    async def toggle_lowbitrate(self) -> None:
        """Switch the member's low-bitrate mode."""
        await self._do("call.lowbitrate.set", lowbitrate=not self.lowbitrate)

    async def set_audio_input_sensitivity(self, value: float) -> None:
        """Set the level from which the member is heard, 0 to 100."""
        await self._do("call.microphone.sensitivity.set", sensitivity=value)

    async def set_audio_input_volume(self, value: float) -> None:
        """Set the volume at which the member is heard, -50 to 50."""
        await self._do("call.microphone.volume.set", volume=value)

    async def set_audio_output_volume(self, value: float) -> None:
        """Set the volume at which the member hears the call, -50 to 50."""
        await self._do("call.speaker.volume.set", volume=value)

    async def set_position(self, value: str) -> None:
        """Set the member's place in the picture, for example "reserved-0"."""
        target = self._target()
        await self._execute(target, "call.member.position.set", {"targets": [{"target": target, "position": value}]})

    async def remove(self) -> None:
        """Take the member out of the call."""
        await self._execute(self._target(), "call.member.remove", {})

    async def end(self) -> None:
        """End the call for the member."""
        await self._do("call.end")

    async def _flags(self, **changed: bool) -> None:
        flags = {
            "echo_cancellation": self.echo_cancellation,
            "auto_gain": self.auto_gain,
            "noise_suppression": self.noise_suppression,
        }
        await self._do("call.audioflags.set", **(flags | changed))

    async def _do(self, method: str, **args: Any) -> None:
        await self._execute(self.id, method, args)

    def _target(self) -> dict[str, str]:
        return {"member_id": self.id, "call_id": self.call_id, "node_id": self.node_id}


Switch = Callable[[str, bool], None]
"""Function (kind "audio" or "video", whether to send it)."""


class SelfParticipant(Participant):
    """Our own member of a call: our end acts even if the service refuses."""

    capabilities: SelfCapabilities
    """Our capabilities."""

    def __init__(self, record: MemberRecord, execute: Execute, switch: Switch, capabilities: SelfCapabilities) -> None:
        super().__init__(record, execute)
        self.capabilities = capabilities
        self._switch = switch
        self._studio: Value[bool] = Value(False)

    async def mute(self) -> None:
        """Mute ourselves; our end does it even if the service refuses."""
        await self._both(super().mute(), "audio", False)

    async def unmute(self) -> None:
        """Unmute ourselves."""
        await self._both(super().unmute(), "audio", True)

    async def mute_video(self) -> None:
        """Send no video; our end does it even if the service refuses."""
        await self._both(super().mute_video(), "video", False)

    async def unmute_video(self) -> None:
        """Send our video again."""
        await self._both(super().unmute_video(), "video", True)

    @property
    def studio_audio(self) -> bool:
        """Whether our audio is sent unprocessed."""
        return self._studio.value

    @property
    def studio_audio_stream(self) -> Observable[bool]:
        """Whether our audio is sent unprocessed, now and at each change."""
        return self._studio.stream

    async def enable_studio_audio(self) -> None:
        """Send our audio unprocessed: no echo cancellation, no noise suppression, no automatic gain."""
        await self._flags(echo_cancellation=False, auto_gain=False, noise_suppression=False)
        self._studio.set(True)

    async def disable_studio_audio(self) -> None:
        """Process our audio again."""
        await self._flags(echo_cancellation=True, auto_gain=True, noise_suppression=True)
        self._studio.set(False)

    async def toggle_echo_cancellation(self) -> None:
        """Switch our echo cancellation; ends studio audio."""
        self._studio.set(False)
        await super().toggle_echo_cancellation()

    async def toggle_audio_input_auto_gain(self) -> None:
        """Switch our automatic gain; ends studio audio."""
        self._studio.set(False)
        await super().toggle_audio_input_auto_gain()

    async def toggle_noise_suppression(self) -> None:
        """Switch our noise suppression; ends studio audio."""
        self._studio.set(False)
        await super().toggle_noise_suppression()

    async def _both(self, there: Awaitable[None], kind: str, on: bool) -> None:
        self._switch(kind, on)
        # A service without members (a plain call) refuses to mute them; our end has.
        with contextlib.suppress(SignalWireError):
            await there
        self._record.update({f"{kind}_muted": not on})


def read_member(raw: Mapping[str, Any]) -> Member:
    """Return the member in a message; raises `BadFrameError`."""
    known = {name: value for name, value in raw.items() if value is not None}
    try:
        return msgspec.convert(known, Member, strict=False)
    except msgspec.MsgspecError as error:
        raise BadFrameError(f"A member of a call cannot be read: {error}.") from error
