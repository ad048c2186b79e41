"""How a call's media is mended: a policy without I/O; what it decides, the call does (protocol.md §6).

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
from dataclasses import dataclass

GRACE_S = 1.0
"""A far end that closed its connection may offer a new one by itself."""
RESTART_TIMEOUT_S = 5.0
REFUSED_PAUSE_S = 1.0
"""After an offer that was refused or lost; the far end may be moving too."""
ANY_PATH = 4
MAX_RESTARTS = 8
"""With their time-outs 40 s: a far end whose network is away for half a minute is waited for."""
COOLDOWN_S = 10.0
AWAY_S = 60.0
"""As long as a space keeps a call whose end has lost its socket."""
LONGEST_S = AWAY_S + MAX_RESTARTS * (RESTART_TIMEOUT_S + COOLDOWN_S)
"""Nothing on the ladder takes longer."""
SETTLE_S = 0.3
"""The old path may work again by itself once the service does."""
KEYFRAME_BURST = 3
KEYFRAME_WINDOW_S = 3.0
KEYFRAME_COOLDOWN_S = 10.0
VIDEO_OFF_BPS = 150_000
VIDEO_ON_BPS = 300_000


class RecoveryState(enum.StrEnum):
    """What is being done."""

    IDLE = "idle"
    WATCHING = "debouncing"
    """Something is wrong; it may right itself."""
    RECOVERING = "recovering"
    COOLDOWN = "cooldown"
    FAILED = "failed"
    """Everything was tried."""


class Rung(enum.StrEnum):
    """How far up the ladder a call is."""

    NONE = "none"
    SERVICE = "waiting for the service"
    NEW_PATH = "new path"
    RELAY = "relay only"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class RecoveryEvent:
    """Something was done, or came of it."""

    action: str
    """"keyframe", "ice_restart", "ice_restarted", "video_off", "video_on" or "max_attempts_reached"."""
    attempt: int = 0
    """Which ICE restart, from 1."""
    reason: str = ""
    """Why."""
    relay_only: bool = False
    """Of an ICE restart: only relayed paths are allowed."""


@dataclass(frozen=True)
class RecoveryProgress:
    """Where on the ladder a call stands."""

    state: RecoveryState
    rung: Rung
    tries: int
    """How many new paths were tried."""
    most: int
    """How many are tried before the call is given up."""
    next_in_s: float | None
    """Until the next step; None when there is none to come."""
    reason: str
    """What is wrong, in words."""


class RecoveryPolicy:
    """Decides; `take()` hands out what is to be done. `has_relay` tells whether a relay is known."""

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
        """The peer connection's state changed."""
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
        """Sound comes in, over whichever path."""
        mended = self.state in {RecoveryState.RECOVERING, RecoveryState.FAILED} and self._attempts > 0
        self._attempts, self._rung = 0, Rung.NONE
        if mended:
            self._to(RecoveryState.COOLDOWN, now + COOLDOWN_S)
        elif self.state is not RecoveryState.COOLDOWN:
            self._to(RecoveryState.IDLE, None)

    def trouble(self, reason: str, now: float) -> None:
        """Something critical was measured, for example that no sound comes in."""
        if self.state is RecoveryState.IDLE:
            self._reason = reason
            self._climb(now)

    def keeps_silent(self) -> None:
        """The far end hears us over the new path and says nothing: that is its right, and no path mends it."""
        if self.state is RecoveryState.COOLDOWN and self._attempts:
            self._give_up()

    def refused(self, now: float) -> None:
        """The last offer of a new path came to nothing."""
        if self.state is RecoveryState.RECOVERING and self._deadline is not None and self._rung is not Rung.SERVICE:
            self._deadline = min(self._deadline, now + REFUSED_PAUSE_S)

    def service(self, reachable: bool, now: float) -> None:
        """The signalling was lost, or is back."""
        self.service_reachable = reachable
        self._refused = self._refused and not reachable
        if self.state is RecoveryState.RECOVERING:
            if not reachable:
                self._wait_for_service(now)
            elif self._rung is Rung.SERVICE:
                self._attempts = 0  # what was tried without a network says nothing
                self._deadline = now + SETTLE_S

    def service_refused(self, now: float) -> None:
        """The service knows us no more: there is nothing to wait for."""
        self._refused = True
        if self.state is RecoveryState.RECOVERING and self._rung is Rung.SERVICE:
            self._deadline = now

    def network_changed(self, now: float) -> None:
        """This machine's addresses or links changed: what was tried before says nothing any more."""
        if self.state is RecoveryState.COOLDOWN:
            self._well()
        elif self.state in {RecoveryState.WATCHING, RecoveryState.RECOVERING}:
            self._attempts = 0
            if self.service_reachable and self._deadline is not None:
                self._deadline = min(self._deadline, now + SETTLE_S)

    def bandwidth(self, bits_per_s: float) -> None:
        """What the way out is thought to carry."""
        if not self.constrained and bits_per_s < VIDEO_OFF_BPS:
            self.constrained = True
            self._events.append(RecoveryEvent("video_off", reason=f"{bits_per_s / 1000:.0f} kbit/s"))
        elif self.constrained and bits_per_s > VIDEO_ON_BPS:
            self.constrained = False
            self._events.append(RecoveryEvent("video_on", reason=f"{bits_per_s / 1000:.0f} kbit/s"))

    # -- what comes of it ------------------------------------------------------------------------------

    def may_request_keyframe(self, now: float) -> bool:
        """Whether one more keyframe may be asked for: three in three seconds, then a pause of ten."""
        if now < self._keyframes_from:
            return False
        self._keyframes = [at for at in self._keyframes if now - at < KEYFRAME_WINDOW_S]
        self._keyframes.append(now)
        if len(self._keyframes) >= KEYFRAME_BURST:
            self._keyframes_from = now + KEYFRAME_COOLDOWN_S
        return True

    def progress(self, now: float) -> RecoveryProgress:
        """Where on the ladder the call stands."""
        next_in_s = None if self._deadline is None else max(0.0, self._deadline - now)
        reason = "" if self.state is RecoveryState.IDLE else self._reason
        return RecoveryProgress(self.state, self._rung, self._attempts, MAX_RESTARTS, next_in_s, reason)

    def next_deadline(self) -> float | None:
        """When `tick` has something to do."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Let time pass."""
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
        """What is to be done, and what came of it; each is handed out once."""
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
