"""How a call's media is mended: a policy without I/O; what it decides, the call does (protocol.md §6).

A lost peer connection gets a grace period, then ICE restarts with a time-out each, three at most; between two
rounds there is a pause. A picture that stands gets a keyframe request first. Video makes room for sound when the
way out carries too little, and comes back with a margin.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

GRACE_S = 3.0
RESTART_TIMEOUT_S = 5.0
MAX_RESTARTS = 3
COOLDOWN_S = 10.0
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


@dataclass(frozen=True)
class RecoveryEvent:
    """Something was done, or came of it."""

    action: str
    """"keyframe", "ice_restart", "ice_restarted", "video_off", "video_on" or "max_attempts_reached"."""
    attempt: int = 0
    """Which ICE restart, from 1."""
    reason: str = ""
    """Why."""


class RecoveryPolicy:
    """Decides; `take()` hands out what is to be done."""

    def __init__(self) -> None:
        self.state = RecoveryState.IDLE
        self.constrained = False
        self._attempts = 0
        self._deadline: float | None = None
        self._reason = ""
        self._events: list[RecoveryEvent] = []
        self._keyframes: list[float] = []
        self._keyframes_from = 0.0

    def media(self, state: str, now: float) -> None:
        """The peer connection's state."""
        if state == "connected":
            if self.state is RecoveryState.RECOVERING:
                self._events.append(RecoveryEvent("ice_restarted", self._attempts, self._reason))
                self._to(RecoveryState.COOLDOWN, now + COOLDOWN_S)
            elif self.state is RecoveryState.WATCHING:
                self._to(RecoveryState.IDLE, None)
            elif self.state is RecoveryState.FAILED:
                self._to(RecoveryState.COOLDOWN, now + COOLDOWN_S)
        elif state == "disconnected" and self.state is RecoveryState.IDLE:
            self._reason = "ICE is disconnected"
            self._to(RecoveryState.WATCHING, now + GRACE_S)

    def trouble(self, reason: str, now: float) -> None:
        """Something critical was measured, for example that no sound comes in."""
        if self.state is RecoveryState.IDLE:
            self._reason = reason
            self._restart(now)

    def bandwidth(self, bits_per_s: float) -> None:
        """What the way out is thought to carry."""
        if not self.constrained and bits_per_s < VIDEO_OFF_BPS:
            self.constrained = True
            self._events.append(RecoveryEvent("video_off", reason=f"{bits_per_s / 1000:.0f} kbit/s"))
        elif self.constrained and bits_per_s > VIDEO_ON_BPS:
            self.constrained = False
            self._events.append(RecoveryEvent("video_on", reason=f"{bits_per_s / 1000:.0f} kbit/s"))

    def may_request_keyframe(self, now: float) -> bool:
        """Whether one more keyframe may be asked for: three in three seconds, then a pause of ten."""
        if now < self._keyframes_from:
            return False
        self._keyframes = [at for at in self._keyframes if now - at < KEYFRAME_WINDOW_S]
        self._keyframes.append(now)
        if len(self._keyframes) >= KEYFRAME_BURST:
            self._keyframes_from = now + KEYFRAME_COOLDOWN_S
        return True

    def next_deadline(self) -> float | None:
        """When `tick` has something to do."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._deadline is None or now < self._deadline:
            return
        match self.state:
            case RecoveryState.WATCHING | RecoveryState.RECOVERING:
                self._restart(now)
            case _:
                self._attempts = 0
                self._to(RecoveryState.IDLE, None)

    def take(self) -> list[RecoveryEvent]:
        """What is to be done, and what came of it; each is handed out once."""
        events, self._events = self._events, []
        return events

    def _restart(self, now: float) -> None:
        if self._attempts >= MAX_RESTARTS:
            self._events.append(RecoveryEvent("max_attempts_reached", self._attempts, self._reason))
            self._to(RecoveryState.FAILED, None)
            return
        self._attempts += 1
        if self._attempts == 1:
            self._events.append(RecoveryEvent("keyframe", reason=self._reason))
        self._events.append(RecoveryEvent("ice_restart", self._attempts, self._reason))
        self._to(RecoveryState.RECOVERING, now + RESTART_TIMEOUT_S)

    def _to(self, state: RecoveryState, deadline: float | None) -> None:
        self.state = state
        self._deadline = deadline
