"""The program's view of a call: the reference client's flat API, each member of which names the part that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from reactivex import Observable

from intercom.signalwire.call.call import Call
from intercom.signalwire.call.dialog.events import CallStatus
from intercom.signalwire.call.dialog.leg import FarEndKind
from intercom.signalwire.call.digit_merge import KeyPress
from intercom.signalwire.call.media_options import AskedMedia, MediaDirections
from intercom.signalwire.call.members.participant import LayoutLayer, Participant, SelfParticipant
from intercom.signalwire.call.members.room import RoomState
from intercom.signalwire.call.quality import NetworkIssue, NetworkMetrics
from intercom.signalwire.call.recovery_policy import RecoveryEvent, RecoveryProgress, RecoveryState
from intercom.signalwire.errors import SignalWireError
from intercom.signalwire.watched import Shown
from intercom.signalwire.wire import messages as m


class WebRTCCall:
    """A call; see `SignalWire.dial` and `ClientSession.incoming_calls`."""

    _call: Call

    def __init__(self, call: Call) -> None:
        self._call = call

    # -- what it is ------------------------------------------------------------------------------------

    id: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.call_id)
    """The call's id, a UUID of the caller's."""
    direction: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.direction)
    """Direction of the call, "inbound" or "outbound"."""
    from_: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.from_)
    """The address or number of the caller."""
    from_name: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.from_name)
    """The caller's display name."""
    far_end_kind: Shown[WebRTCCall, FarEndKind] = Shown(lambda api: api._call.leg.far_end_kind)
    """The kind of the far end, as the service reports it once the far end has called or answered.

    The embedded space tells its doors from its residents' devices; SignalWire does not say.
    """
    to: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.to)
    """The address or number called."""
    to_name: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.answered_by or api._call.leg.to_name)
    """The callee's display name."""
    answered_address: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.answered_address)
    """Which of several addresses that were rung at once answered, as the embedded space tells it; else empty."""
    node_id: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.node_id)
    """The node of the service that holds the call."""
    self_id: Shown[WebRTCCall, str] = Shown(lambda api: api._call.leg.member_id)
    """Our member id in the call; empty until the service reports it."""
    user_variables: Shown[WebRTCCall, Mapping[str, Any]] = Shown(lambda api: api._call.leg.user_variables)
    """Variables that the caller sent along; they may claim anything."""
    media_kinds: Shown[WebRTCCall, tuple[bool, bool]] = Shown(lambda api: api._call.slot.options.kinds)
    """Whether the call has (audio, video), in any direction."""
    media_directions: Shown[WebRTCCall, MediaDirections] = Shown(lambda api: api._call.slot.options.directions)
    """Directions of the call's audio and video on our side, "sendrecv", "sendonly", "recvonly" or "inactive"."""
    status: Shown[WebRTCCall, CallStatus] = Shown(lambda api: api._call.status.value)
    """The call's status, a string."""
    status_stream: Shown[WebRTCCall, Observable[CallStatus]] = Shown(lambda api: api._call.status.stream)
    """The call's status, now and at each change."""
    end_cause: Shown[WebRTCCall, str | None] = Shown(lambda api: api._call.dialog.end_cause)
    """The cause of the call's end, for example "NORMAL_CLEARING" or "USER_BUSY"; None until it ends."""
    errors_stream: Shown[WebRTCCall, Observable[SignalWireError]] = Shown(lambda api: api._call.run.errors.stream)
    """Errors of this call, fatal or not."""

    # -- what it does ----------------------------------------------------------------------------------

    async def answer(
        self,
        audio: bool | None = None,
        video: bool | None = None,
        *,
        receive_audio: bool | None = None,
        receive_video: bool | None = None,
        fallback_to_receive_only: bool = True,
    ) -> None:
        """Accept an inbound call, with audio alone unless more is asked for; returns when the answer is confirmed.

        What is left out is chosen as in `SignalWire.dial`. Raises `InvalidStateError` when there is nothing (more) to
        accept, `CallError` when it ended meanwhile.
        """
        asked = AskedMedia(audio, video, receive_audio, receive_video, fallback_to_receive_only)
        await self._call.answer(asked)

    async def reject(self, cause: str = "USER_BUSY") -> None:
        """Refuse an inbound call."""
        await self._call.hangup(cause)

    async def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call; returns when its media is closed. A call that has ended stays as it is."""
        await self._call.hangup(cause)

    async def wait_destroyed(self) -> None:
        """Wait until nothing is left of the call."""
        await self._call.wait_destroyed()

    # -- keys and messages -----------------------------------------------------------------------------

    digits_stream: Shown[WebRTCCall, Observable[str]] = Shown(lambda api: api._call.keys.digits.stream)
    """Digits that the far end presses, one at a time, by verto.info or telephone events."""
    keys_stream: Shown[WebRTCCall, Observable[KeyPress]] = Shown(lambda api: api._call.keys.presses.stream)
    """The digits with the way by which each came, and keys heard in the audio if that is enabled."""
    info_stream: Shown[WebRTCCall, Observable[dict[str, Any]]] = Shown(lambda api: api._call.info.stream)
    """Messages of the far end's application, sent by `send_info`."""

    async def send_digits(self, digits: str, *, way: Literal["signalling", "media"] | None = None) -> None:
        """Send DTMF digits (0-9, *, #, A-D).

        By verto.info, as the JavaScript SDK does, which the service turns into what the far end understands: returns
        when it has them. In the sound (RFC 4733) where `way` says "media", and by itself while the service is out of
        reach: returns when they are sent. Never both ways, for FreeSWITCH takes that for two presses.
        """
        await self._call.keys.send(digits, way=way)

    async def send_info(self, info: dict[str, Any]) -> None:
        """Send a message to the far end's application; returns when the service has it."""
        await self._call.send_info(info)

    # -- mutes and sound -------------------------------------------------------------------------------

    audio_muted: Shown[WebRTCCall, bool] = Shown(lambda api: "audio" in api._call.mutes.muted.value)
    """Whether we send silence."""
    video_muted: Shown[WebRTCCall, bool] = Shown(lambda api: "video" in api._call.mutes.muted.value)
    """Whether we send no video."""
    muted_stream: Shown[WebRTCCall, Observable[frozenset[str]]] = Shown(lambda api: api._call.mutes.muted.stream)
    """The muted kinds, of "audio" and "video", now and at each change."""
    local_microphone_gain: Shown[WebRTCCall, int] = Shown(lambda api: api._call.mutes.gain_percent.value)
    """Gain of our audio, percent."""
    local_microphone_gain_stream: Shown[WebRTCCall, Observable[int]] = Shown(
        lambda api: api._call.mutes.gain_percent.stream
    )
    """Gain of our audio, percent, now and at each change."""
    media_params_updated_stream: Shown[WebRTCCall, Observable[dict[str, Any]]] = Shown(
        lambda api: api._call.media_params.stream
    )
    """Media constraints that the service asks for: {"audio": {...}, "video": {...}}."""

    async def mute(self) -> None:
        """Send silence, and report it to a service that knows members."""
        await self._call.room.switch_me("audio", False)

    async def unmute(self) -> None:
        """Send our audio again."""
        await self._call.room.switch_me("audio", True)

    async def mute_video(self) -> None:
        """Send no video."""
        await self._call.room.switch_me("video", False)

    async def unmute_video(self) -> None:
        """Send our video again."""
        await self._call.room.switch_me("video", True)

    async def toggle_incoming_audio(self) -> None:
        """Play the far end's audio, or drop it."""
        self._call.mutes.toggle_receiving("audio")

    async def toggle_incoming_video(self) -> None:
        """Show the far end's video, or drop it."""
        self._call.mutes.toggle_receiving("video")

    def set_local_microphone_gain(self, percent: int) -> None:
        """Set the gain of our audio, 0 to 200 percent; a higher value is cut to that."""
        self._call.mutes.set_gain(percent)

    def enable_push_to_talk(self) -> None:
        """Send our audio only while `set_push_to_talk_active(True)`."""
        self._call.mutes.set_push_to_talk(True)

    def disable_push_to_talk(self) -> None:
        """Send our audio all the time again, unless it is muted otherwise."""
        self._call.mutes.set_push_to_talk(False)

    def set_push_to_talk_active(self, active: bool) -> None:
        """Press or release the push-to-talk key; raises `InvalidStateError` without push to talk."""
        self._call.mutes.press_to_talk(active)

    async def set_echo_cancellation(self, enabled: bool) -> None:
        """Switch echo cancellation, at our end if the media can."""
        self._call.slot.constrain("audio", {"echoCancellation": enabled})

    async def set_noise_suppression(self, enabled: bool) -> None:
        """Switch noise suppression, at our end if the media can."""
        self._call.slot.constrain("audio", {"noiseSuppression": enabled})

    async def set_auto_gain_control(self, enabled: bool) -> None:
        """Switch automatic gain, at our end if the media can."""
        self._call.slot.constrain("audio", {"autoGainControl": enabled})

    # -- hold and transfer -----------------------------------------------------------------------------

    held: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.holds.near.value)
    """Whether we hold the far end."""
    held_stream: Shown[WebRTCCall, Observable[bool]] = Shown(lambda api: api._call.holds.near.stream)
    """Whether we hold the far end, now and at each change."""
    far_held: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.holds.far.value)
    """Whether the far end holds us."""
    far_held_stream: Shown[WebRTCCall, Observable[bool]] = Shown(lambda api: api._call.holds.far.stream)
    """Whether the far end holds us, now and at each change."""
    transfer_asked_stream: Shown[WebRTCCall, Observable[str]] = Shown(lambda api: api._call.transfers.stream)
    """Addresses that the far end asks us to call in its place; the program decides whether to."""

    async def hold(self) -> None:
        """Hold the far end."""
        await self._call.holds.hold(True)

    async def unhold(self) -> None:
        """Resume the far end."""
        await self._call.holds.hold(False)

    async def toggle_hold(self) -> None:
        """Hold the far end, or resume it."""
        await self._call.holds.hold(not self.held)

    async def transfer(self, destination: str) -> None:
        """Send the far end to another address."""
        await self._call.run.request(lambda dialog: dialog.transfer(destination))

    # -- quality and recovery --------------------------------------------------------------------------

    network_issues: Shown[WebRTCCall, tuple[NetworkIssue, ...]] = Shown(lambda api: api._call.monitor.issues.value)
    """The present network issues."""
    network_issues_stream: Shown[WebRTCCall, Observable[tuple[NetworkIssue, ...]]] = Shown(
        lambda api: api._call.monitor.issues.stream
    )
    """The network issues, now and at each change."""
    is_network_healthy: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.monitor.healthy.value)
    """Whether the network has no critical issue."""
    is_network_healthy_stream: Shown[WebRTCCall, Observable[bool]] = Shown(lambda api: api._call.monitor.healthy.stream)
    """Whether the network has no critical issue, now and at each change."""
    network_metrics: Shown[WebRTCCall, tuple[NetworkMetrics, ...]] = Shown(lambda api: api._call.monitor.metrics.value)
    """The network metrics of the last half minute, one a second."""
    network_metrics_stream: Shown[WebRTCCall, Observable[tuple[NetworkMetrics, ...]]] = Shown(
        lambda api: api._call.monitor.metrics.stream
    )
    """The network metrics of the last half minute, at each measurement."""
    quality_score: Shown[WebRTCCall, float | None] = Shown(lambda api: api._call.monitor.score.value)
    """The mean opinion score, 1 to 4.5; None before the first measurement."""
    quality_score_stream: Shown[WebRTCCall, Observable[float | None]] = Shown(
        lambda api: api._call.monitor.score.stream
    )
    """The mean opinion score, now and at each change."""
    quality_level: Shown[WebRTCCall, str | None] = Shown(lambda api: api._call.monitor.level.value)
    """The score in a word: excellent, good, fair, poor, critical."""
    quality_level_stream: Shown[WebRTCCall, Observable[str | None]] = Shown(lambda api: api._call.monitor.level.stream)
    """The score in a word, now and at each change."""
    local_audio_level_stream: Shown[WebRTCCall, Observable[float]] = Shown(
        lambda api: api._call.monitor.local_level.stream
    )
    """Level of our audio, 0 to 1, each second."""
    remote_audio_level_stream: Shown[WebRTCCall, Observable[float]] = Shown(
        lambda api: api._call.monitor.remote_level.stream
    )
    """Level of the far end's audio, 0 to 1, each second."""
    local_speaking: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.monitor.speaking)
    """Whether we spoke at the last measurement."""
    recovery_state: Shown[WebRTCCall, RecoveryState] = Shown(lambda api: api._call.recovery.state.value)
    """The state of the media recovery."""
    recovery_state_stream: Shown[WebRTCCall, Observable[RecoveryState]] = Shown(
        lambda api: api._call.recovery.state.stream
    )
    """The state of the media recovery, now and at each change."""
    recovery_event_stream: Shown[WebRTCCall, Observable[RecoveryEvent]] = Shown(
        lambda api: api._call.recovery.events.stream
    )
    """Recovery actions on the media, and their results."""
    recovery_progress: Shown[WebRTCCall, RecoveryProgress] = Shown(lambda api: api._call.recovery.progress)
    """The recovery step of the call, its tries so far, and the time of the next."""
    bandwidth_constrained: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.recovery.constrained.value)
    """Whether our video is off to save bandwidth for the audio."""
    bandwidth_constrained_stream: Shown[WebRTCCall, Observable[bool]] = Shown(
        lambda api: api._call.recovery.constrained.stream
    )
    """Whether our video is off to save bandwidth for the audio, now and at each change."""
    far_end_is_there: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.recovery.far_end_is_there)
    """Whether the far end sends reception reports, even if it is silent; true if nobody counts them."""

    async def request_ice_restart(self, *, relay_only: bool = False) -> None:
        """Restart ICE while the call goes on; `relay_only`: over a relay.

        Raises `MediaError` when the media cannot, `RpcError` when the service will not.
        """
        await self._call.recovery.restart_ice(relay_only=relay_only)

    def request_keyframe(self) -> bool:
        """Ask the far end for a keyframe; return false when it was asked too often, or cannot be asked."""
        return self._call.recovery.request_keyframe()

    # -- members and layout ----------------------------------------------------------------------------

    participants: Shown[WebRTCCall, tuple[Participant, ...]] = Shown(lambda api: api._call.room.participants.value)
    """All members of the call that the service reports, ourselves included."""
    participants_stream: Shown[WebRTCCall, Observable[tuple[Participant, ...]]] = Shown(
        lambda api: api._call.room.participants.stream
    )
    """All members of the call, now and at each change."""
    self_: Shown[WebRTCCall, SelfParticipant | None] = Shown(lambda api: api._call.room.me.value)
    """Our own member; None until the service reports it."""
    self_stream: Shown[WebRTCCall, Observable[SelfParticipant | None]] = Shown(lambda api: api._call.room.me.stream)
    """Our own member, now and when the service reports it."""
    capabilities: Shown[WebRTCCall, tuple[str, ...]] = Shown(lambda api: api._call.room.capabilities.value)
    """Our capabilities as the service lists them; `self_.capabilities` reads them."""
    capabilities_stream: Shown[WebRTCCall, Observable[tuple[str, ...]]] = Shown(
        lambda api: api._call.room.capabilities.stream
    )
    """Our capabilities as the service lists them, now and at each change."""
    layout: Shown[WebRTCCall, str] = Shown(lambda api: api._call.room.layout_name.value)
    """The video layout."""
    layout_stream: Shown[WebRTCCall, Observable[str]] = Shown(lambda api: api._call.room.layout_name.stream)
    """The video layout, now and at each change."""
    layout_layers: Shown[WebRTCCall, tuple[LayoutLayer, ...]] = Shown(lambda api: api._call.room.layers.value)
    """The position of each member in the picture."""
    layout_layers_stream: Shown[WebRTCCall, Observable[tuple[LayoutLayer, ...]]] = Shown(
        lambda api: api._call.room.layers.stream
    )
    """The position of each member in the picture, now and at each change."""
    layouts: Shown[WebRTCCall, tuple[str, ...]] = Shown(lambda api: api._call.room.layouts.value)
    """The available layouts; empty until the service reports them."""
    layouts_stream: Shown[WebRTCCall, Observable[tuple[str, ...]]] = Shown(lambda api: api._call.room.layouts.stream)
    """The available layouts, now and at each change."""
    locked: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.room.state.value.locked)
    """Whether the room is locked, so that nobody else may join."""
    recording: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.room.state.value.recording)
    """Whether the service records the call."""
    streaming: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.room.state.value.streaming)
    """Whether the service streams the call."""
    raise_hand_priority: Shown[WebRTCCall, bool] = Shown(lambda api: api._call.room.state.value.prioritize_handraise)
    """Whether raised hands come first in the picture."""
    meta: Shown[WebRTCCall, Mapping[str, Any]] = Shown(lambda api: api._call.room.state.value.meta)
    """The room's metadata, set by applications."""
    room_stream: Shown[WebRTCCall, Observable[RoomState]] = Shown(lambda api: api._call.room.state.stream)
    """`locked`, `recording`, `streaming`, `meta` and more in one struct, now and at each change."""

    async def load_layouts(self) -> tuple[str, ...]:
        """Fetch the available layouts."""
        return await self._call.room.load_layouts()

    async def set_layout(self, layout: str, positions: Mapping[str, str] | None = None) -> None:
        """Choose a layout, and positions in it by member id; raises `InvalidParamsError` for an unknown layout."""
        await self._call.room.set_layout(layout, positions)

    async def toggle_lock(self) -> None:
        """Lock the room, or unlock it."""
        await self._call.room.toggle_lock()

    # -- the service -----------------------------------------------------------------------------------

    signaling_event_stream: Shown[WebRTCCall, Observable[m.Event]] = Shown(lambda api: api._call.events.stream)
    """All events of this call, as they come."""

    async def execute_method(self, target: str | Mapping[str, str], method: str, args: Mapping[str, Any]) -> Any:
        """Run a `call.*` method on a member: an id in our own call, or {"member_id", "call_id", "node_id"}.

        Raises `RpcError` when the service refuses it.
        """
        return await self._call.methods.execute(target, method, args)

    async def execute(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send any request to the service and return its result."""
        return await self._call.methods.execute_any(method, params)

    async def subscribe(self, event_type: str) -> Observable[m.Event]:
        """Subscribe to one more type of event on this call, and return the events as they come."""
        await self._call.run.request(lambda dialog: dialog.subscribe(event_type))
        return self.events_stream(event_type)

    def events_stream(self, event_type: str) -> Observable[m.Event]:
        """Return the events of one type, for example "member.talking", as they come."""
        from reactivex import operators as ops  # few programs ask, and all operators come with one

        wanted: Callable[[m.Event], bool] = lambda event: event.event_type == event_type  # noqa: E731 - typed
        return self.signaling_event_stream.pipe(ops.filter(wanted))
