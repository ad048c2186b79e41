"""Recovers the media of a call: carries out what the recovery policy decides (protocol.md §6)."""

from __future__ import annotations

import asyncio
from typing import Any

from intercom.signalwire.call.dialog.events import CallStatus
from intercom.signalwire.call.dialog.run import DialogRun
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.media_slot import MediaSlot, described
from intercom.signalwire.call.mutes import Mutes
from intercom.signalwire.call.quality import NO_PACKETS_S, SUSPICIOUS_S, MediaCounters, SoundWatch
from intercom.signalwire.call.recovery_policy import (
    LONGEST_S,
    RecoveryEvent,
    RecoveryPolicy,
    RecoveryProgress,
    RecoveryState,
)
from intercom.signalwire.errors import MediaError, RpcError, SignalWireError
from intercom.signalwire.media import KeyframeMedia, RestartableMedia
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.signalwire.wire.verto import CALL_UNKNOWN
from intercom.tasks import TaskSet

PROVEN_S = 3.0
"""Time after which a new path with reports and no audio is proven: the far end is silent by choice."""


class MediaRecovery:
    """The recovery of one call's media."""

    def __init__(self, line: CallLine, run: DialogRun, slot: MediaSlot, mutes: Mutes) -> None:
        self.state: Value[RecoveryState] = Value(RecoveryState.IDLE)
        self.events: Happenings[RecoveryEvent] = Happenings()
        """Recovery actions on the media, and their results."""
        self.constrained: Value[bool] = Value(False)
        """Whether our video is off to save bandwidth for the audio."""
        self._line = line
        self._run = run
        self._slot = slot
        self._mutes = mutes
        self._policy = RecoveryPolicy(lambda: self._relay_works and slot.has_relay)
        self._policy.service_reachable = line.reachable
        self._sound = SoundWatch()
        self._media_up = False
        self._moved_at = 0.0
        self._relay_works = True
        self._background = TaskSet(task_failed)
        self._restarting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def progress(self) -> RecoveryProgress:
        """The recovery step of the call, its tries so far, and the time of the next."""
        return self._policy.progress(self._run.now())

    @property
    def far_end_is_there(self) -> bool:
        """Whether the far end sends reception reports, even if it is silent; true if nobody counts them."""
        return self._media_up and self._sound.is_alive(self._run.now())

    async def restart_ice(self, *, relay_only: bool = False) -> None:
        """Restart ICE while the call goes on; see `WebRTCCall.request_ice_restart`."""
        media = self._slot.media
        if not isinstance(media, RestartableMedia) or media is None:
            raise MediaError("This call's media provider cannot make its connection anew.")
        self._slot.use_paths(relay_only=relay_only)
        offer = await described(media.create_restart_offer())
        result = await self._run.request(lambda dialog: dialog.update_media(offer))
        sdp = result.get("sdp") if isinstance(result, dict) else None
        if not isinstance(sdp, str) or not sdp:
            raise MediaError("The service gave no answer to the new offer.")
        if self._slot.media is media:
            await described(media.accept_answer(sdp))

    def request_keyframe(self) -> bool:
        """Ask the far end for a keyframe; return false when it was asked too often, or cannot be asked."""
        media = self._slot.media
        if isinstance(media, KeyframeMedia) and self._policy.may_request_keyframe(self._run.now()):
            media.request_keyframe()
            return True
        return False

    # -- what is seen ----------------------------------------------------------------------------------

    def media_changed(self, state: str) -> None:
        """Take a new state of the peer connection."""
        self._media_up = state == "connected"
        if not self._run.dialog.is_over:
            self._policy.media(state, self._run.now())
            self._mend()

    def bandwidth(self, bits_per_s: float) -> None:
        """Take the estimated bandwidth to the far end; `listen` carries out what follows."""
        self._policy.bandwidth(bits_per_s)

    def listen(self, counters: MediaCounters, *, may_be_silent: bool, in_doubt: bool) -> None:
        """Judge whether audio arrives, and take the next step; `in_doubt`: soon after a change of the network."""
        now, silent_before_s = self._run.now(), self._sound.silent_s
        self._sound.look(counters, now)
        if self._sound.arriving:
            if silent_before_s >= NO_PACKETS_S:
                self._line.look_after_connection()
            self._policy.sound(now)
        elif not may_be_silent:
            limit_s = SUSPICIOUS_S if in_doubt else NO_PACKETS_S
            never_there = self._media_up and not self._sound.heard and not self.far_end_is_there
            if (self._sound.silent_s >= limit_s or never_there) and isinstance(self._slot.media, RestartableMedia):
                self._policy.trouble("no sound comes in", now)
            if self._policy.state is RecoveryState.FAILED and not self.far_end_is_there and not self._policy.go_on(now):
                self._end_without_media()
            if now - self._moved_at >= PROVEN_S and self._media_up and self._sound.has_reported_since(self._moved_at):
                self._policy.keeps_silent()
        self._mend()

    def network_changed(self) -> None:
        """Take the next step soon: this machine's links or addresses changed."""
        self._policy.network_changed(self._run.now())
        self._mend()

    def service_changed(self, reachable: bool) -> None:
        """Note that the signalling was lost, or is back."""
        self._policy.service(reachable, self._run.now())
        self._mend()

    def service_refused(self) -> None:
        """Stop waiting for the service, which refuses us: it can neither recover the call nor report its end."""
        self._policy.service_refused(self._run.now())
        self._mend()

    def stop(self) -> None:
        """Take no more steps: the call has ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._background.cancel()

    def streams(self) -> list[Happenings[Any]]:
        """Return the streams, which end with the call."""
        return [self.state, self.events, self.constrained]

    # -- what is done ----------------------------------------------------------------------------------

    def _mend(self) -> None:
        """Carry out the policy's decisions, and call it at its next deadline."""
        dialog = self._run.dialog
        if dialog.status is CallStatus.RECOVERING and isinstance(self._slot.media, RestartableMedia):
            dialog.recovering(self._run.now(), LONGEST_S)  # the ladder ends it, long before
            self._run.arm()
        for event in self._policy.take():
            self._carry_out(event)
            self.events.emit(event)
        self.state.set(self._policy.state)
        self.constrained.set(self._policy.constrained)
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._policy.next_deadline()
        if deadline is not None and not dialog.is_over:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._due)

    def _due(self) -> None:
        self._policy.tick(self._run.now())
        self._mend()

    def _carry_out(self, event: RecoveryEvent) -> None:
        match event.action:
            case "keyframe":
                self.request_keyframe()
                self._line.look_after_connection()
            case "ice_restart" if isinstance(self._slot.media, RestartableMedia):
                if not self._media_up:
                    self._run.tell(lambda dialog: dialog.recovering(self._run.now(), LONGEST_S))
                if self._restarting is not None:
                    self._restarting.cancel()
                self._restarting = self._background.spawn(self._restart(event.relay_only))
            case "ice_restarted":
                self._moved_at = self._run.now()
            case "video_off":
                self._mutes.switch("video", False, "bandwidth")
            case "video_on":
                self._mutes.switch("video", True, "bandwidth")
            case "max_attempts_reached" if not self.far_end_is_there:
                # A far end that is there and only keeps silent may do so.
                self._end_without_media()

    def _end_without_media(self) -> None:
        self._run.tell(lambda dialog: dialog.media("failed", self._run.now()))

    async def _restart(self, relay_only: bool) -> None:
        try:
            await self.restart_ice(relay_only=relay_only)
        except SignalWireError as error:
            self._run.errors.emit(error)
            self._relay_works = self._relay_works and not (relay_only and isinstance(error, MediaError))
            if not self._media_up and isinstance(error, RpcError) and error.message == CALL_UNKNOWN:
                self._run.tell(lambda dialog: dialog.forgotten())
            self._policy.refused(self._run.now())
            self._mend()
