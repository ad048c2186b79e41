"""The facts that the door's parts tell its journal, in plain data: a fact holds no call, thread or socket."""

from __future__ import annotations

import re
from typing import get_args

from msgspec import Struct

_BUSY = ("USER_BUSY", "CALL_REJECTED")
_UNANSWERED = ("NORMAL_CLEARING", "NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL", "LOSE_RACE")
OPENED = "PICKED_OFF"
"""Cause of the end of a ringing that somebody ended by opening the door, by its FreeSWITCH name."""

CLOSED, OPEN, FORCED, HELD_OPEN = DOOR_STATES = ("closed", "open", "forced", "held_open")
"""States of the door, as its contact tells: "forced" is one that opened without having been opened by this station or
the exit button, "held_open" one that has stood open for too long."""


def outcome(cause: str, *, answered: bool) -> str:
    """Return the outcome of a call: answered, opened, unanswered, busy or failed."""
    if answered:
        return "answered"
    if cause == OPENED:
        return "opened"
    if cause in _BUSY:
        return "busy"
    return "unanswered" if cause in _UNANSWERED else "failed"


class CallIdentity(Struct, frozen=True):
    """Id, direction and far end of a call."""

    id: str
    """The call's id."""
    direction: str
    """Direction: "outbound" (the door rang) or "inbound" (the door was called)."""
    address: str
    """The far end's address, safe to show."""
    name: str = ""
    """The far end's display name, safe to show."""


class Pressed(Struct, frozen=True):
    """A press begins to ring the house; a command that calls an address counts as a press."""

    address: str
    """Address that rings."""
    presses: int = 1
    """How often the visitor has pressed until now."""
    button: str = ""
    """Name of the button; empty for the one that needs none, and for a command."""
    ring: str = ""
    """Id of the press for the house."""
    visitor: bool = True
    """Whether a visitor pressed; no one stands at the door for a command."""


class StepBegan(Struct, frozen=True):
    """A press goes on to another step of its plan; its first step begins with the press."""

    step: int
    """Number of the step, from 1."""
    steps: int
    """How many steps the press has."""
    name: str
    """Name of the step; empty if its owner gave it none."""


class StepNotifies(Struct, frozen=True):
    """A step of a press begins that tells services of `[[notify]]`."""

    names: tuple[str, ...]
    """Names of the services."""


class PressedAgain(Struct, frozen=True):
    """The visitor pressed once more, which changes nothing."""

    why: str
    """Reason why it changes nothing."""
    button: str = ""
    """Name of the button."""


class PressWaits(Struct, frozen=True):
    """A press waits: the door rings when it can."""

    why: str
    """Reason why the door cannot ring yet."""
    ring: str = ""
    """Id of the press for the house."""
    button: str = ""
    """Name of the button."""
    visitor: bool = True
    """Whether a visitor pressed; no one stands at the door for a command."""


class Unreached(Struct, frozen=True):
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


class CutOff(Struct, frozen=True):
    """A restart of the door cut a press or its call off, which nobody wrote down; it is over."""

    address: str
    """Address that rang, safe to show."""
    began_at: str
    """Time of the press: ISO 8601, UTC."""
    answered: bool
    """Whether somebody had answered."""
    presses: int
    """How often the visitor had pressed."""


class CallBegan(Struct, frozen=True):
    """The service has accepted the door's call, or somebody calls the door: it rings."""

    call: CallIdentity
    """The call."""


class RangAgain(Struct, frozen=True):
    """A press rings on with its next call, as the one before is over."""

    before: str
    """Id of the call that is over."""
    call: CallIdentity
    """The call that rings now."""


class Answered(Struct, frozen=True):
    """The far end, or the door, answered the call."""

    call: CallIdentity
    """The call."""


class Ended(Struct, frozen=True):
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


class DoorOpened(Struct, frozen=True):
    """Somebody opens the door: the opener has turned on the relay for them."""

    by: str
    """Address, or the program's user or key, that opens it."""


class DoorRefused(Struct, frozen=True):
    """Somebody may not open the door."""

    ruling: str
    """Ruling of the decision: one of `REFUSALS` in `opening/decision.py`."""


class LockChanged(Struct, frozen=True):
    """The relay has turned on or off."""

    is_open: bool
    """Whether the door is open now."""


class ExitPressed(Struct, frozen=True):
    """Somebody inside has pressed the exit button."""

    opens: bool
    """Whether the door opens; otherwise its relay rests, or does not work."""


class ChimeRang(Struct, frozen=True):
    """The relay of the chime has turned on for a press."""


class DoorMoved(Struct, frozen=True):
    """The door's contact tells of another state of the door."""

    state: str
    """State: one of `DOOR_STATES`."""


class Tampered(Struct, frozen=True):
    """The box of the door station was opened or closed, or its keys open the door again."""

    is_open: bool
    """Whether the box is open now."""
    blocks: bool
    """Whether no keys open the door now."""


class CameraPrivacyChanged(Struct, frozen=True):
    """The camera was forbidden or allowed to run."""

    forbidden_by: tuple[str, ...]
    """Switch, command or both, as they forbid it; empty: it may run."""


class Replied(Struct, frozen=True):
    """The house replies to the visitor: the door begins to speak a sentence."""

    text: str
    """The sentence, safe to show."""
    by: str
    """Display name, or the program's user or key, of whoever sent it; empty for the door itself, after a while."""


class MessageLeft(Struct, frozen=True):
    """A visitor whom nobody answered has left a message, which is kept."""

    id: str
    """Id of the message, which is that of the press for the house."""
    seconds: int
    """Length of the message."""


class LookedAt(Struct, frozen=True):
    """Somebody looks through the camera without being rung."""

    address: str
    """Their address, safe to show."""
    name: str
    """Their display name, safe to show."""


class QuietChanged(Struct, frozen=True):
    """The house, or one of its devices, has become quiet, or rings again."""

    house: bool
    """Whether the whole house is quiet now."""


class FaultBegan(Struct, frozen=True):
    """A part broke."""

    kind: str
    """Kind of the fault, as in `docs/faults.md`."""
    why: str
    """Reason, safe to show; may be empty."""


class FaultCleared(Struct, frozen=True):
    """A part works again, or is no longer in use."""

    kind: str
    """Kind of the fault."""
    lasted_s: float
    """Duration of the fault in seconds."""


class RegistrationChanged(Struct, frozen=True):
    """The service has begun, or ceased, to reach the door."""

    registered: bool
    """Whether it reaches the door now."""


class StateChanged(Struct, frozen=True):
    """The machine has entered another state, or another phase of the call within it."""

    state: str
    """State, as in `docs/states.md`."""
    phase: str
    """Phase of the call."""
    why: str
    """Reason of the decision."""


Fact = (
    Pressed
    | StepBegan
    | StepNotifies
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
    | ExitPressed
    | ChimeRang
    | DoorMoved
    | Tampered
    | CameraPrivacyChanged
    | LookedAt
    | QuietChanged
    | Replied
    | MessageLeft
    | FaultBegan
    | FaultCleared
    | RegistrationChanged
    | StateChanged
)
"""Any fact of a door."""


def name_of(kind: type[Struct]) -> str:
    """Return the name of a kind of fact for other systems: `door_opened` for `DoorOpened`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS: dict[str, type[Struct]] = {name_of(kind): kind for kind in get_args(Fact)}
"""Every kind of fact, by its name."""
NAMES = tuple(KINDS)
"""Names of the kinds of facts."""
