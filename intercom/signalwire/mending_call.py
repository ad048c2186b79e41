"""A call that watches over its media: what it mutes, how good it is, and how it mends itself (protocol.md §6)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

import msgspec
from reactivex import Observable

from intercom.signalwire.basic_call import BasicCall, CallLine
from intercom.signalwire.dialog import Dialog
from intercom.signalwire.dialog_events import CallStatus
from intercom.signalwire.errors import InvalidStateError, MediaError, SignalWireError
from intercom.signalwire.media import (
    CallMedia,
    KeyframeMedia,
    MeasuredMedia,
    MutableMedia,
    RestartableMedia,
    VolumeMedia,
)
from intercom.signalwire.observable import Happenings, Value
from intercom.signalwire.quality import MediaCounters, NetworkIssue, NetworkMetrics, QualityMonitor, level
from intercom.signalwire.recovery import RecoveryEvent, RecoveryPolicy, RecoveryState

logger = logging.getLogger(__name__)

# As the reference client: a look each second tells what a person would hear.
LOOK_S = 1.0
# What counts as speaking, of full scale (reference client).
SPEAKING_LEVEL = 0.03

Silencer = Literal["user", "client", "bandwidth", "push to talk"]
"""Who may want something not sent; each takes back only what it asked for itself."""


class MendingCall(BasicCall):
    """Adds mutes, measures and recovery to a call."""

    def __init__(self, line: CallLine, dialog: Dialog, *, offer: str = "") -> None:
        super().__init__(line, dialog, offer=offer)
        self._monitor = QualityMonitor()
        self._policy = RecoveryPolicy()
        self._restarting = False
        self._media_up = False
        self._recovery_timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._issues: Value[tuple[NetworkIssue, ...]] = Value(())
        self._healthy: Value[bool] = Value(True)
        self._metrics: Value[tuple[NetworkMetrics, ...]] = Value(())
        self._score: Value[float | None] = Value(None)
        self._level: Value[str | None] = Value(None)
        self._recovery_state: Value[RecoveryState] = Value(RecoveryState.IDLE)
        self._recovery_events: Happenings[RecoveryEvent] = Happenings()
        self._constrained: Value[bool] = Value(False)
        self._muted: Value[frozenset[str]] = Value(frozenset())
        self._local_level: Value[float] = Value(0.0)
        self._remote_level: Value[float] = Value(0.0)
        self._gain_percent: Value[int] = Value(100)
        self._not_received: set[str] = set()
        self._silenced: dict[str, set[Silencer]] = {"audio": set(), "video": set()}
        self._push_to_talk = False
        self.status_stream.subscribe(self._follow_status)

    # -- measures --------------------------------------------------------------------------------------

    @property
    def network_issues(self) -> tuple[NetworkIssue, ...]:
        """What is wrong with the network now."""
        return self._issues.value

    @property
    def network_issues_stream(self) -> Observable[tuple[NetworkIssue, ...]]:
        """What is wrong with the network, now and at each change."""
        return self._issues.stream

    @property
    def is_network_healthy(self) -> bool:
        """Whether nothing critical is wrong."""
        return self._healthy.value

    @property
    def is_network_healthy_stream(self) -> Observable[bool]:
        """Whether nothing critical is wrong, now and at each change."""
        return self._healthy.stream

    @property
    def network_metrics(self) -> tuple[NetworkMetrics, ...]:
        """The last half minute, a look each second."""
        return self._metrics.value

    @property
    def network_metrics_stream(self) -> Observable[tuple[NetworkMetrics, ...]]:
        """The last half minute, at each look."""
        return self._metrics.stream

    @property
    def quality_score(self) -> float | None:
        """The mean opinion score, 1 to 4.5; None before the first look."""
        return self._score.value

    @property
    def quality_score_stream(self) -> Observable[float | None]:
        """The mean opinion score, now and at each change."""
        return self._score.stream

    @property
    def quality_level(self) -> str | None:
        """The score in a word: excellent, good, fair, poor, critical."""
        return self._level.value

    @property
    def quality_level_stream(self) -> Observable[str | None]:
        """The score in a word, now and at each change."""
        return self._level.stream

    @property
    def local_audio_level_stream(self) -> Observable[float]:
        """How loud we are, 0 to 1, each second."""
        return self._local_level.stream

    @property
    def remote_audio_level_stream(self) -> Observable[float]:
        """How loud the far end is, 0 to 1, each second."""
        return self._remote_level.stream

    @property
    def local_speaking(self) -> bool:
        """Whether we speak, at the last look."""
        return self._local_level.value >= SPEAKING_LEVEL

    # -- recovery --------------------------------------------------------------------------------------

    @property
    def recovery_state(self) -> RecoveryState:
        """What is being done about the media."""
        return self._recovery_state.value

    @property
    def recovery_state_stream(self) -> Observable[RecoveryState]:
        """What is being done about the media, now and at each change."""
        return self._recovery_state.stream

    @property
    def recovery_event_stream(self) -> Observable[RecoveryEvent]:
        """What was done about the media, and what came of it."""
        return self._recovery_events.stream

    @property
    def bandwidth_constrained(self) -> bool:
        """Whether our picture is off to make room for the sound."""
        return self._constrained.value

    @property
    def bandwidth_constrained_stream(self) -> Observable[bool]:
        """Whether our picture is off to make room for the sound, now and at each change."""
        return self._constrained.stream

    async def request_ice_restart(self) -> None:
        """Make the peer connection anew while the call goes on.

        Raises `MediaError` when the media cannot, `RpcError` when the service will not.
        """
        media = self._media
        if not isinstance(media, RestartableMedia) or media is None:
            raise MediaError("This call's media provider cannot make its connection anew.")
        offer = await self._from_media(media.create_restart_offer())
        result = await self._request(lambda dialog: dialog.update_media(offer))
        sdp = result.get("sdp") if isinstance(result, dict) else None
        if not isinstance(sdp, str) or not sdp:
            raise MediaError("The service gave no answer to the new offer.")
        if self._media is media:
            await self._from_media(media.accept_answer(sdp))

    def request_keyframe(self) -> bool:
        """Ask the far end for a whole picture; false when that was asked too often, or cannot be asked."""
        if isinstance(self._media, KeyframeMedia) and self._policy.may_request_keyframe(self._now()):
            self._media.request_keyframe()
            return True
        return False

    # -- what is sent and played -----------------------------------------------------------------------

    @property
    def audio_muted(self) -> bool:
        """Whether we send silence."""
        return "audio" in self._muted.value

    @property
    def video_muted(self) -> bool:
        """Whether we send no picture."""
        return "video" in self._muted.value

    @property
    def muted_stream(self) -> Observable[frozenset[str]]:
        """What we do not send, of "audio" and "video", now and at each change."""
        return self._muted.stream

    async def toggle_incoming_audio(self) -> None:
        """Play the far end's sound, or drop it."""
        self._toggle_receiving("audio")

    async def toggle_incoming_video(self) -> None:
        """Show the far end's picture, or drop it."""
        self._toggle_receiving("video")

    @property
    def local_microphone_gain(self) -> int:
        """How much our sound is amplified, percent."""
        return self._gain_percent.value

    @property
    def local_microphone_gain_stream(self) -> Observable[int]:
        """How much our sound is amplified, percent, now and at each change."""
        return self._gain_percent.stream

    def set_local_microphone_gain(self, percent: int) -> None:
        """Amplify our sound, 0 to 200 percent; more is cut to that."""
        percent = min(max(percent, 0), 200)
        if isinstance(self._media, VolumeMedia):
            self._media.set_microphone_gain(percent)
        self._gain_percent.set(percent)

    def enable_push_to_talk(self) -> None:
        """Be heard only while `set_push_to_talk_active(True)`."""
        self._push_to_talk = True
        self.switch("audio", False, "push to talk")

    def disable_push_to_talk(self) -> None:
        """Be heard all the time again, unless muted otherwise."""
        self._push_to_talk = False
        self.switch("audio", True, "push to talk")

    def set_push_to_talk_active(self, active: bool) -> None:
        """Press or let go of the key; raises `InvalidStateError` without push to talk."""
        if not self._push_to_talk:
            raise InvalidStateError("Push to talk is off; call enable_push_to_talk() first.")
        self.switch("audio", active, "push to talk")

    def switch(self, kind: str, on: bool, by: Silencer = "user") -> None:
        """Send `kind`, or silence or black; it is sent while nobody wants it off."""
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

    # -- watching --------------------------------------------------------------------------------------

    def _follow_status(self, status: CallStatus) -> None:
        if status is CallStatus.CONNECTED and self._watching is None and isinstance(self._media, MeasuredMedia):
            self._watching = asyncio.get_running_loop().create_task(self._watch(self._media))
        if self._dialog.is_over:
            if self._watching is not None:
                self._watching.cancel()
            if self._recovery_timer is not None:
                self._recovery_timer.cancel()

    async def _watch(self, media: MeasuredMedia) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                counters = msgspec.convert(await media.call_counters(), MediaCounters, strict=False)
            except msgspec.MsgspecError as error:
                self._errors.emit(MediaError(f"What the media counts cannot be read: {error}"))
                return
            self._look(counters)

    def _look(self, counters: MediaCounters) -> None:
        metrics = self._monitor.look(counters, self._now())
        self._metrics.set(tuple(self._monitor.history))
        self._score.set(round(metrics.mos, 2))
        self._level.set(level(metrics.mos))
        self._local_level.set(counters.local_level)
        self._remote_level.set(counters.remote_level)
        critical = [issue.kind for issue in self._monitor.issues if issue.severity == "critical"]
        self._issues.set(self._monitor.issues)
        self._healthy.set(not critical)
        if metrics.outgoing_bitrate_bps is not None:
            self._policy.bandwidth(metrics.outgoing_bitrate_bps)
        on_hold = self._dialog.held or self._far_held.value
        if "no_inbound_audio" in critical and isinstance(self._media, RestartableMedia) and not on_hold:
            self._policy.trouble("no sound comes in", self._now())
        elif self._media_up:
            self._policy.media("connected", self._now())
        self._mend()

    def _media_changed(self, state: str) -> None:
        super()._media_changed(state)
        self._media_up = state == "connected"
        if not self._dialog.is_over:
            self._policy.media(state, self._now())
            self._mend()

    def _mend(self) -> None:
        """Do what the policy decided, and wake it when it asks."""
        for event in self._policy.take():
            self._carry_out(event)
            self._recovery_events.emit(event)
        self._recovery_state.set(self._policy.state)
        self._constrained.set(self._policy.constrained)
        if self._recovery_timer is not None:
            self._recovery_timer.cancel()
        deadline = self._policy.next_deadline()
        if deadline is not None and not self._dialog.is_over:
            self._recovery_timer = asyncio.get_running_loop().call_at(deadline, self._recovery_due)

    def _recovery_due(self) -> None:
        self._policy.tick(self._now())
        self._mend()

    def _carry_out(self, event: RecoveryEvent) -> None:
        match event.action:
            case "keyframe":
                self.request_keyframe()
            case "ice_restart" if isinstance(self._media, RestartableMedia):
                if not self._media_up:
                    self._dialog.recovering(self._now())
                    self._pump()
                self._background.spawn(self._restart())
            case "video_off":
                self.switch("video", False, "bandwidth")
            case "video_on":
                self.switch("video", True, "bandwidth")
            case "max_attempts_reached" if not self._media_up:  # a far end that only keeps silent may do so
                self._dialog.media("failed", self._now())
                self._pump()

    async def _restart(self) -> None:
        if self._restarting:
            return
        self._restarting = True
        try:
            await self.request_ice_restart()
        except SignalWireError as error:
            self._errors.emit(error)
        finally:
            self._restarting = False

    def _streams(self) -> list[Happenings[Any]]:
        return [
            *super()._streams(),
            *(self._issues, self._healthy, self._metrics, self._score, self._level, self._recovery_state),
            *(self._recovery_events, self._constrained, self._muted, self._local_level, self._remote_level),
            self._gain_percent,
        ]
