"""The facts that the door's parts tell its journal, in plain data: a fact holds no call, thread or socket."""

from __future__ import annotations

from dataclasses import dataclass

_BUSY = ("USER_BUSY", "CALL_REJECTED")
_UNANSWERED = ("NORMAL_CLEARING", "NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL", "LOSE_RACE")
OPENED = "PICKED_OFF"
"""Cause of the end of a ringing that somebody ended by opening the door, by its FreeSWITCH name."""


def outcome(cause: str, *, answered: bool) -> str:
    """Return the outcome of a call: answered, opened, unanswered, busy or failed."""
    if answered:
        return "answered"
    if cause == OPENED:
        return "opened"
    if cause in _BUSY:
        return "busy"
    return "unanswered" if cause in _UNANSWERED else "failed"


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Id, direction and far end of a call."""

    id: str
    """The call's id."""
    direction: str
    """Direction: "outbound" (the door rang) or "inbound" (the door was called)."""
    address: str
    """The far end's address, safe to show."""
    name: str = ""
    """The far end's display name, safe to show."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press begins to ring the house; a command that calls an address counts as a press."""

    address: str
    """Address that rings."""
    presses: int = 1
    """How often the visitor has pressed until now."""


@dataclass(frozen=True, slots=True)
class PressedAgain:
    """The visitor pressed once more, which changes nothing."""

    why: str
    """Reason why it changes nothing."""


@dataclass(frozen=True, slots=True)
class PressWaits:
    """A press waits: the door rings when it can."""

    why: str
    """Reason why the door cannot ring yet."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A press was given up before the service accepted a call for it."""

    address: str
    """Address that was to ring, safe to show."""
    cause: str
    """Cause of the end, by its FreeSWITCH name."""
    presses: int = 1
    """How often the visitor had pressed."""

    @property
    def outcome(self) -> str:
        """The outcome: opened, unanswered, busy or failed."""
        return outcome(self.cause, answered=False)


@dataclass(frozen=True, slots=True)
class CutOff:
    """A restart of the door cut a press or its call off, which nobody wrote down; it is over."""

    address: str
    """Address that rang, safe to show."""
    began_at: str
    """Time of the press: ISO 8601, UTC."""
    answered: bool
    """Whether somebody had answered."""
    presses: int
    """How often the visitor had pressed."""


@dataclass(frozen=True, slots=True)
class CallBegan:
    """The service has accepted the door's call, or somebody calls the door: it rings."""

    call: CallIdentity
    """The call."""


@dataclass(frozen=True, slots=True)
class RangAgain:
    """A press rings on with its next call, as the one before is over."""

    before: str
    """Id of the call that is over."""
    call: CallIdentity
    """The call that rings now."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end, or the door, answered the call."""

    call: CallIdentity
    """The call."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. Told once for each call that began; those that rang again count as one."""

    call: CallIdentity
    """The call."""
    cause: str
    """Cause of the end, by its FreeSWITCH name."""
    answered: bool
    """Whether somebody answered the call."""

    @property
    def outcome(self) -> str:
        """The outcome: answered, opened, unanswered, busy or failed."""
        return outcome(self.cause, answered=self.answered)


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """Somebody opens the door: the opener has turned on the relay for them."""

    by: str
    """Address, or the program's user or key, that opens it."""


@dataclass(frozen=True, slots=True)
class DoorRefused:
    """Somebody may not open the door."""

    ruling: str
    """Ruling of the decision: one of `REFUSALS` in `opening/decision.py`."""


@dataclass(frozen=True, slots=True)
class LockChanged:
    """The relay has turned on or off."""

    is_open: bool
    """Whether the door is open now."""


@dataclass(frozen=True, slots=True)
class CameraPrivacyChanged:
    """The camera was forbidden or allowed to run."""

    forbidden_by: tuple[str, ...]
    """Switch, command or both, as they forbid it; empty: it may run."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """Somebody looks through the camera without being rung."""

    address: str
    """Their address, safe to show."""
    name: str
    """Their display name, safe to show."""


@dataclass(frozen=True, slots=True)
class FaultBegan:
    """A part broke."""

    kind: str
    """Kind of the fault, as in `docs/faults.md`."""
    why: str
    """Reason, safe to show; may be empty."""


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """A part works again, or is no longer in use."""

    kind: str
    """Kind of the fault."""
    lasted_s: float
    """Duration of the fault in seconds."""


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """The service has begun, or ceased, to reach the door."""

    registered: bool
    """Whether it reaches the door now."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The machine has entered another state, or another phase of the call within it."""

    state: str
    """State, as in `docs/states.md`."""
    phase: str
    """Phase of the call."""
    why: str
    """Reason of the decision."""


Fact = (
    Pressed
    | PressedAgain
    | PressWaits
    | Unreached
    | CutOff
    | CallBegan
    | RangAgain
    | Answered
    | Ended
    | DoorOpened
    | DoorRefused
    | LockChanged
    | CameraPrivacyChanged
    | LookedAt
    | FaultBegan
    | FaultCleared
    | RegistrationChanged
    | StateChanged
)
"""Any fact of a door."""
