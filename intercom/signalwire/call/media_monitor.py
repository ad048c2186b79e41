"""Adds quality measurement and media recovery to a call (protocol.md §6)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import msgspec
from reactivex import Observable

from intercom.signalwire.call.dialog import Dialog
from intercom.signalwire.call.dialog_events import CallStatus
from intercom.signalwire.call.hold import holds
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.mutes import SilencedCall
from intercom.signalwire.call.quality import (
    NO_PACKETS_S,
    SUSPICIOUS_S,
    MediaCounters,
    NetworkIssue,
    NetworkMetrics,
    QualityMonitor,
    SoundWatch,
    level,
)
from intercom.signalwire.call.recovery import LONGEST_S, RecoveryEvent, RecoveryPolicy, RecoveryProgress, RecoveryState
from intercom.signalwire.errors import MediaError, RpcError, SignalWireError
from intercom.signalwire.media import (
    KeyframeMedia,
    MeasuredMedia,
    PathMedia,
    PatientMedia,
    RestartableMedia,
)
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.signalwire.preferences import is_turn

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""Interval of the measurements: one second, as the reference client."""
CLOSE_LOOK_S = 0.1
"""Interval of the measurements while the path is in doubt: each tenth of a second without one is a tenth of silence."""
DOUBT_S = 5.0
"""Time for which the path is in doubt after the network changed or the service returned."""
PROVEN_S = 3.0
"""Time after which a new path with reports and no audio is proven: the far end is silent by choice."""
SPEAKING_LEVEL = 0.03
"""Level from which audio counts as speech, of full scale (reference client)."""
CALL_UNKNOWN = "CALL DOES NOT EXIST"
"""Message by which FreeSWITCH and the embedded space report that they do not have a call."""


class MendingCall(SilencedCall):
    """A call that measures its quality and recovers its media."""

    def __init__(self, line: CallLine, dialog: Dialog, *, offer: str = "") -> None:
        super().__init__(line, dialog, offer=offer)
        self._monitor = QualityMonitor()
        self._policy = RecoveryPolicy(self._has_relay)
        self._policy.service_reachable = line.reachable
        self._sound = SoundWatch()
        self._doubt_until = 0.0
        self._doubted = asyncio.Event()
        self._moved_at = 0.0
        self._relay_works = True
        self._restarting: asyncio.Task[None] | None = None
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
        self._local_level: Value[float] = Value(0.0)
        self._remote_level: Value[float] = Value(0.0)
        self.status_stream.subscribe(self._follow_status)
        self._far_held.stream.subscribe(self._expect_sound)

    # -- measures --------------------------------------------------------------------------------------

    @property
    def network_issues(self) -> tuple[NetworkIssue, ...]:
        """The present network issues."""
        return self._issues.value

    @property
    def network_issues_stream(self) -> Observable[tuple[NetworkIssue, ...]]:
        """The network issues, now and at each change."""
        return self._issues.stream

    @property
    def is_network_healthy(self) -> bool:
        """Whether the network has no critical issue."""
        return self._healthy.value

    @property
    def is_network_healthy_stream(self) -> Observable[bool]:
        """Whether the network has no critical issue, now and at each change."""
        return self._healthy.stream

    @property
    def network_metrics(self) -> tuple[NetworkMetrics, ...]:
        """The network metrics of the last half minute, one a second."""
        return self._metrics.value

    @property
    def network_metrics_stream(self) -> Observable[tuple[NetworkMetrics, ...]]:
        """The network metrics of the last half minute, at each measurement."""
        return self._metrics.stream

    @property
    def quality_score(self) -> float | None:
        """The mean opinion score, 1 to 4.5; None before the first measurement."""
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
        """Level of our audio, 0 to 1, each second."""
        return self._local_level.stream

    @property
    def remote_audio_level_stream(self) -> Observable[float]:
        """Level of the far end's audio, 0 to 1, each second."""
        return self._remote_level.stream

    @property
    def local_speaking(self) -> bool:
        """Whether we spoke at the last measurement."""
        return self._local_level.value >= SPEAKING_LEVEL

    # -- recovery --------------------------------------------------------------------------------------

    @property
    def recovery_state(self) -> RecoveryState:
        """The state of the media recovery."""
        return self._recovery_state.value

    @property
    def recovery_state_stream(self) -> Observable[RecoveryState]:
        """The state of the media recovery, now and at each change."""
        return self._recovery_state.stream

    @property
    def recovery_event_stream(self) -> Observable[RecoveryEvent]:
        """Recovery actions on the media, and their results."""
        return self._recovery_events.stream

    @property
    def bandwidth_constrained(self) -> bool:
        """Whether our video is off to save bandwidth for the audio."""
        return self._constrained.value

    @property
    def bandwidth_constrained_stream(self) -> Observable[bool]:
        """Whether our video is off to save bandwidth for the audio, now and at each change."""
        return self._constrained.stream

    @property
    def recovery_progress(self) -> RecoveryProgress:
        """The recovery step of the call, its tries so far, and the time of the next."""
        return self._policy.progress(self._now())

    @property
    def far_end_is_there(self) -> bool:
        """Return whether the far end sends reception reports, even if it is silent; true if nobody counts them."""
        return self._media_up and self._sound.is_alive(self._now())

    async def request_ice_restart(self, *, relay_only: bool = False) -> None:
        """Restart ICE while the call goes on; `relay_only`: over a relay.

        Raises `MediaError` when the media cannot, `RpcError` when the service will not.
        """
        media = self._media
        if not isinstance(media, RestartableMedia) or media is None:
            raise MediaError("This call's media provider cannot make its connection anew.")
        if isinstance(media, PathMedia):
            media.use_paths(self._line.ice_servers, relay_only=relay_only or self._line.relay_only)
        offer = await self._from_media(media.create_restart_offer())
        result = await self._request(lambda dialog: dialog.update_media(offer))
        sdp = result.get("sdp") if isinstance(result, dict) else None
        if not isinstance(sdp, str) or not sdp:
            raise MediaError("The service gave no answer to the new offer.")
        if self._media is media:
            await self._from_media(media.accept_answer(sdp))

    def request_keyframe(self) -> bool:
        """Ask the far end for a keyframe; return false when it was asked too often, or cannot be asked."""
        if isinstance(self._media, KeyframeMedia) and self._policy.may_request_keyframe(self._now()):
            self._media.request_keyframe()
            return True
        return False

    # -- watching --------------------------------------------------------------------------------------

    def _follow_status(self, status: CallStatus) -> None:
        if status is CallStatus.CONNECTED and self._watching is None and isinstance(self._media, MeasuredMedia):
            self._begin_watching(self._media)
        if self._dialog.is_over:
            if self._watching is not None:
                self._watching.cancel()
            if self._recovery_timer is not None:
                self._recovery_timer.cancel()

    def _begin_watching(self, media: MeasuredMedia) -> None:
        """Start watching the media after a pause, so that a watch which fails again and again does no harm."""
        if not self._dialog.is_over:

            def watch_again(error: Exception) -> None:
                task_failed(error)
                self._begin_watching(media)

            self._watching = self._background.spawn(self._watch(media), on_failure=watch_again)

    async def _watch(self, media: MeasuredMedia) -> None:
        next_look = self._now() + LOOK_S
        while True:
            await self._pause(next_look)
            try:
                counters = msgspec.convert(await media.call_counters(), MediaCounters, strict=False)
            except msgspec.MsgspecError as error:
                self._errors.emit(MediaError(f"What the media counts cannot be read: {error}"))
                return
            if self._now() >= next_look:
                next_look = self._now() + LOOK_S
                self._look(counters)
            self._listen(counters)
            self._mend()

    async def _pause(self, next_look: float) -> None:
        """Wait until the next measurement: a short interval while the path is in doubt."""
        if self._now() < self._doubt_until:
            await asyncio.sleep(min(CLOSE_LOOK_S, next_look - self._now()))
            return
        self._doubted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(next_look):
                await self._doubted.wait()

    def _look(self, counters: MediaCounters) -> None:
        metrics = self._monitor.look(counters, self._now())
        self._metrics.set(tuple(self._monitor.history))
        self._score.set(round(metrics.mos, 2))
        self._level.set(level(metrics.mos))
        self._local_level.set(counters.local_level)
        self._remote_level.set(counters.remote_level)
        self._issues.set(self._monitor.issues)
        self._healthy.set(not any(issue.severity == "critical" for issue in self._monitor.issues))
        if metrics.outgoing_bitrate_bps is not None:
            self._policy.bandwidth(metrics.outgoing_bitrate_bps)

    def _listen(self, counters: MediaCounters) -> None:
        now, silent_before_s = self._now(), self._sound.silent_s
        self._sound.look(counters, now)
        if self._sound.arriving:
            if silent_before_s >= NO_PACKETS_S:
                self._line.look_after_connection()
            self._policy.sound(now)
        elif not self._may_be_silent():
            limit_s = SUSPICIOUS_S if now < self._doubt_until else NO_PACKETS_S
            never_there = self._media_up and not self._sound.heard and not self.far_end_is_there
            if (self._sound.silent_s >= limit_s or never_there) and isinstance(self._media, RestartableMedia):
                self._policy.trouble("no sound comes in", now)
            if self._policy.state is RecoveryState.FAILED and not self.far_end_is_there:
                self._end_without_media()
            if self.far_end_is_there and now - self._moved_at >= PROVEN_S:
                self._policy.keeps_silent()

    def _may_be_silent(self) -> bool:
        """Return whether silence is expected: one of the two ends holds the other."""
        return self._dialog.held or self._far_held.value

    async def _answer_update(self, offer: str) -> None:
        self._far_holds("offer", holds(offer))
        await super()._answer_update(offer)

    def _expect_sound(self, _: bool) -> None:
        """Tell the media, which measure the silence, whether sound must come in."""
        if isinstance(self._media, PatientMedia):
            self._media.expect_sound(not self._may_be_silent())

    def network_changed(self) -> None:
        """Check at once whether audio still arrives: this machine's links or addresses changed."""
        self._doubt()
        self._policy.network_changed(self._now())
        self._mend()

    def service_changed(self, reachable: bool) -> None:
        """Note that the signalling was lost, or is back."""
        if reachable:
            self._doubt()
        self._policy.service(reachable, self._now())
        self._mend()

    def service_refused(self) -> None:
        """Stop waiting for the service, which refuses us: it can neither recover the call nor report its end."""
        self._policy.service_refused(self._now())
        self._mend()

    def _doubt(self) -> None:
        self._doubt_until = self._now() + DOUBT_S
        self._doubted.set()

    def _has_relay(self) -> bool:
        return self._relay_works and isinstance(self._media, PathMedia) and any(map(is_turn, self._line.ice_servers))

    def _media_changed(self, state: str) -> None:
        super()._media_changed(state)
        self._media_up = state == "connected"
        if not self._dialog.is_over:
            self._policy.media(state, self._now())
            self._mend()

    def _mend(self) -> None:
        """Carry out the policy's decisions, and call it at its next deadline."""
        if self._dialog.status is CallStatus.RECOVERING and isinstance(self._media, RestartableMedia):
            self._dialog.recovering(self._now(), LONGEST_S)  # the ladder ends it, long before
            self._arm()
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
                self._line.look_after_connection()
            case "ice_restart" if isinstance(self._media, RestartableMedia):
                if not self._media_up:
                    self._dialog.recovering(self._now(), LONGEST_S)
                    self._pump()
                if self._restarting is not None:
                    self._restarting.cancel()
                self._restarting = self._background.spawn(self._restart(event.relay_only))
            case "ice_restarted":
                self._moved_at = self._now()
            case "video_off":
                self.switch("video", False, "bandwidth")
            case "video_on":
                self.switch("video", True, "bandwidth")
            case "max_attempts_reached" if not self.far_end_is_there:
                # A far end that is there and only keeps silent may do so.
                self._end_without_media()

    def _end_without_media(self) -> None:
        self._dialog.media("failed", self._now())
        self._pump()

    async def _restart(self, relay_only: bool) -> None:
        try:
            await self.request_ice_restart(relay_only=relay_only)
        except SignalWireError as error:
            self._errors.emit(error)
            self._relay_works = self._relay_works and not (relay_only and isinstance(error, MediaError))
            if not self._media_up and isinstance(error, RpcError) and error.message == CALL_UNKNOWN:
                self._dialog.forgotten()
                self._pump()
            self._policy.refused(self._now())
            self._mend()

    def _streams(self) -> list[Happenings[Any]]:
        return [
            *super()._streams(),
            *(self._issues, self._healthy, self._metrics, self._score, self._level, self._recovery_state),
            *(self._recovery_events, self._constrained, self._local_level, self._remote_level),
        ]
