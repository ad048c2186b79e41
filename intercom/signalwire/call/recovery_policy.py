"""Decides how a call's media is recovered: a policy without I/O, whose decisions the call carries out (protocol.md §6).

The ladder, its tries and its pauses stand here and nowhere else:

1. While the service cannot be reached nothing can be negotiated: the old path and the service have `AWAY_S` to return.
2. A keyframe is asked for, and the call moves to a new path: `ANY_PATH` tries, `RESTART_TIMEOUT_S` for each.
3. The other tries, up to `MAX_RESTARTS`, allow relayed paths only, where a relay is known.
4. Then the call is given up, unless its far end is alive and only keeps silent.

A call that was mended has `COOLDOWN_S` before the next step; a changed network ends that pause. The steps begin anew
only when sound has come in again. Beside the ladder, video makes room for sound when the way out carries too little,
and comes back with a margin.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

GRACE_S = 1.0
"""Time to wait after the far end closed its connection: it may offer a new one by itself."""
RESTART_TIMEOUT_S = 5.0
REFUSED_PAUSE_S = 1.0
"""Pause after an offer that was refused or lost: the far end may be changing its network too."""
ANY_PATH = 4
MAX_RESTARTS = 8
"""Limit of ICE restarts: with their time-outs 40 s, so a far end may lose its network for half a minute."""
COOLDOWN_S = 10.0
AWAY_S = 60.0
"""Time to wait for the service: as long as a space keeps a call whose end has lost its socket."""
LONGEST_S = AWAY_S + MAX_RESTARTS * (RESTART_TIMEOUT_S + COOLDOWN_S)
"""Longest time that the whole ladder takes."""
SETTLE_S = 0.3
"""Time to wait once the service is back: the old path may work again by itself."""
KEYFRAME_BURST = 3
KEYFRAME_WINDOW_S = 3.0
KEYFRAME_COOLDOWN_S = 10.0
VIDEO_OFF_BPS = 150_000
VIDEO_ON_BPS = 300_000


class RecoveryState(enum.StrEnum):
    """The state of the recovery."""

    IDLE = "idle"
    WATCHING = "debouncing"
    """An issue was found; it may pass by itself."""
    RECOVERING = "recovering"
    COOLDOWN = "cooldown"
    FAILED = "failed"
    """All steps were tried."""


class Rung(enum.StrEnum):
    """The step of the ladder that a call has reached."""

    NONE = "none"
    SERVICE = "waiting for the service"
    NEW_PATH = "new path"
    RELAY = "relay only"
    GIVEN_UP = "given up"


class RecoveryEvent(msgspec.Struct, frozen=True):
    """An action of the recovery, or its result."""

    action: str
    """Action: "keyframe", "ice_restart", "ice_restarted", "video_off", "video_on" or "max_attempts_reached"."""
    attempt: int = 0
    """Number of the ICE restart, from 1."""
    reason: str = ""
    """Reason of the action."""
    relay_only: bool = False
    """Whether an ICE restart allows only relayed paths."""


class RecoveryProgress(msgspec.Struct, frozen=True):
    """A call's progress on the ladder."""

    state: RecoveryState
    rung: Rung
    tries: int
    """Number of new paths tried."""
    most: int
    """Limit of new paths before the call is given up."""
    next_in_s: float | None
    """Seconds until the next step; None when no step follows."""
    reason: str
    """The issue, in words."""


class RecoveryPolicy:
    """Decides the next recovery steps, which `take()` hands out. `has_relay` tells whether a relay is known."""

    def __init__(self, has_relay: Callable[[], bool] = lambda: False) -> None:
        self.state = RecoveryState.IDLE
        self.constrained = False
        self.service_reachable = True
        self._refused = False
        self._has_relay = has_relay
        self._rung = Rung.NONE
        self._attempts = 0
        self._deadline: float | None = None
        self._reason = ""
        self._events: list[RecoveryEvent] = []
        self._keyframes: list[float] = []
        self._keyframes_from = 0.0

    # -- what is seen ----------------------------------------------------------------------------------

    def media(self, state: str, now: float) -> None:
        """Take a new state of the peer connection."""
        if state == "connected":
            if self.state is RecoveryState.RECOVERING and self._attempts:
                self._events.append(RecoveryEvent("ice_restarted", self._attempts, self._reason))
                self._to(RecoveryState.COOLDOWN, now + COOLDOWN_S)
            elif self.state is RecoveryState.WATCHING:
                self._well()
            elif self.state is RecoveryState.FAILED:
                self._attempts, self._rung = 0, Rung.NONE
                self._to(RecoveryState.COOLDOWN, now + COOLDOWN_S)
        elif state == "disconnected" and self.state is not RecoveryState.RECOVERING:
            self._reason = "the connection is lost"
            self._to(RecoveryState.WATCHING, now + GRACE_S)

    def sound(self, now: float) -> None:
        """Note that audio arrives, over any path."""
        mended = self.state in {RecoveryState.RECOVERING, RecoveryState.FAILED} and self._attempts > 0
        self._attempts, self._rung = 0, Rung.NONE
        if mended:
            self._to(RecoveryState.COOLDOWN, now + COOLDOWN_S)
        elif self.state is not RecoveryState.COOLDOWN:
            self._to(RecoveryState.IDLE, None)

    def trouble(self, reason: str, now: float) -> None:
        """Take a critical issue, for example that no audio arrives."""
        if self.state is RecoveryState.IDLE:
            self._reason = reason
            self._climb(now)

    def keeps_silent(self) -> None:
        """Accept a far end that hears us over the new path and sends nothing: no other path would change that."""
        if self.state is RecoveryState.COOLDOWN and self._attempts:
            self._give_up()

    def go_on(self, now: float) -> bool:
        """Go on up the ladder, because a far end that kept silent gives no sign any more; false = all was tried."""
        if self._attempts >= MAX_RESTARTS:
            return False
        self._climb(now)
        return True

    def refused(self, now: float) -> None:
        """Note that the last offer of a new path failed."""
        if self.state is RecoveryState.RECOVERING and self._deadline is not None and self._rung is not Rung.SERVICE:
            self._deadline = min(self._deadline, now + REFUSED_PAUSE_S)

    def service(self, reachable: bool, now: float) -> None:
        """Note that the signalling was lost, or is back."""
        self.service_reachable = reachable
        self._refused = self._refused and not reachable
        if self.state is RecoveryState.RECOVERING:
            if not reachable:
                self._wait_for_service(now)
            elif self._rung is Rung.SERVICE:
                self._attempts = 0  # what was tried without a network says nothing
                self._deadline = now + SETTLE_S

    def service_refused(self, now: float) -> None:
        """Stop waiting for the service, which refuses us."""
        self._refused = True
        if self.state is RecoveryState.RECOVERING and self._rung is Rung.SERVICE:
            self._deadline = now

    def network_changed(self, now: float) -> None:
        """Reset the tries and take the next step soon, because this machine's addresses or links changed."""
        if self.state is RecoveryState.COOLDOWN:
            self._well()
        elif self.state in {RecoveryState.WATCHING, RecoveryState.RECOVERING}:
            self._attempts = 0
            if self.service_reachable and self._deadline is not None:
                self._deadline = min(self._deadline, now + SETTLE_S)

    def bandwidth(self, bits_per_s: float) -> None:
        """Take the estimated bandwidth to the far end."""
        if not self.constrained and bits_per_s < VIDEO_OFF_BPS:
            self.constrained = True
            self._events.append(RecoveryEvent("video_off", reason=f"{bits_per_s / 1000:.0f} kbit/s"))
        elif self.constrained and bits_per_s > VIDEO_ON_BPS:
            self.constrained = False
            self._events.append(RecoveryEvent("video_on", reason=f"{bits_per_s / 1000:.0f} kbit/s"))

    # -- what comes of it ------------------------------------------------------------------------------

    def may_request_keyframe(self, now: float) -> bool:
        """Return whether one more keyframe may be asked for: three in three seconds, then a pause of ten."""
        if now < self._keyframes_from:
            return False
        self._keyframes = [at for at in self._keyframes if now - at < KEYFRAME_WINDOW_S]
        self._keyframes.append(now)
        if len(self._keyframes) >= KEYFRAME_BURST:
            self._keyframes_from = now + KEYFRAME_COOLDOWN_S
        return True

    def progress(self, now: float) -> RecoveryProgress:
        """Return the call's progress on the ladder."""
        next_in_s = None if self._deadline is None else max(0.0, self._deadline - now)
        reason = "" if self.state is RecoveryState.IDLE else self._reason
        return RecoveryProgress(self.state, self._rung, self._attempts, MAX_RESTARTS, next_in_s, reason)

    def next_deadline(self) -> float | None:
        """Return the time of the next `tick`."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Carry out everything that is due at `now`."""
        if self._deadline is None or now < self._deadline:
            return
        match self.state:
            case RecoveryState.RECOVERING if self._rung is Rung.SERVICE and not self.service_reachable:
                self._give_up()
            case RecoveryState.WATCHING | RecoveryState.RECOVERING:
                self._climb(now)
            case _:  # sound that is still missing is told again, and the ladder goes on where it was
                self._to(RecoveryState.IDLE, None)

    def take(self) -> list[RecoveryEvent]:
        """Return the actions to take and the results of earlier ones; each is handed out once."""
        events, self._events = self._events, []
        return events

    # -- the ladder ------------------------------------------------------------------------------------

    def _climb(self, now: float) -> None:
        if not self.service_reachable:
            self._wait_for_service(now)
            return
        if self._attempts >= MAX_RESTARTS:
            self._give_up()
            return
        self._attempts += 1
        relay_only = self._attempts > ANY_PATH and self._has_relay()
        self._rung = Rung.RELAY if relay_only else Rung.NEW_PATH
        if self._attempts == 1:
            self._events.append(RecoveryEvent("keyframe", reason=self._reason))
        self._events.append(RecoveryEvent("ice_restart", self._attempts, self._reason, relay_only))
        self._to(RecoveryState.RECOVERING, now + RESTART_TIMEOUT_S)

    def _wait_for_service(self, now: float) -> None:
        if self._rung is not Rung.SERVICE or self.state is not RecoveryState.RECOVERING:
            self._rung = Rung.SERVICE
            self._to(RecoveryState.RECOVERING, now if self._refused else now + AWAY_S)

    def _give_up(self) -> None:
        self._events.append(RecoveryEvent("max_attempts_reached", self._attempts, self._reason))
        self._rung = Rung.GIVEN_UP
        self._to(RecoveryState.FAILED, None)

    def _well(self) -> None:
        self._attempts, self._rung = 0, Rung.NONE
        self._to(RecoveryState.IDLE, None)

    def _to(self, state: RecoveryState, deadline: float | None) -> None:
        self.state = state
        self._deadline = deadline
