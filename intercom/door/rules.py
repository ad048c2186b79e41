"""The table of the machine in `machine.py`: the decision for each trigger in each of the five states."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transitions import EventData

    from intercom.door.machine import Machine


class State(enum.StrEnum):
    """States of a door station."""

    IDLE = "idle"
    REGISTERING = "registering"
    RINGING = "ringing"
    IN_CALL = "in_call"
    RECOVERING = "recovering"


class Phase(enum.StrEnum):
    """Phases of the one call."""

    NONE = "none"
    RINGING_OUT = "ringing_out"
    "the door rings the house"
    RINGING_IN = "ringing_in"
    "the house rings the door"
    ACTIVE = "active"
    "both ends talk"


class Trigger(enum.StrEnum):
    """Events that can reach a door station."""

    PRESS = "press"
    HOLD = "hold"
    INCOMING = "incoming"
    ANSWERED = "answered"
    ENDED = "ended"
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    FAULT = "fault"
    FAULT_CLEARED = "fault_cleared"
    GIVEN_UP = "given_up"
    "a fault outlasted its call"


class Fault(enum.StrEnum):
    """Faults that leave the rest of the door working."""

    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    CAMERA = "camera"
    MEDIA = "media"
    "the call's packets stopped while the service is well"
    AUDIO_THREAD = "audio_thread"
    BUTTON = "button"
    LIGHTS = "lights"


class Verdict(enum.StrEnum):
    """Results of a trigger."""

    ALLOWED = "allowed"
    IGNORED = "ignored"
    "nothing to do, and nobody needs to be told"
    REFUSED = "refused"
    "somebody asked for it, and the door tells them why not"


@dataclass(frozen=True)
class Decision:
    """The machine's decision about one trigger."""

    trigger: Trigger
    source: State
    dest: State
    verdict: Verdict
    reason: str
    "why, as a short clause"
    call: int | None
    "ticket of the call that it concerns, or None"
    phase: Phase
    "phase of that call after the decision"

    @property
    def allowed(self) -> bool:
        """Whether the trigger took effect."""
        return self.verdict is Verdict.ALLOWED

    @property
    def rings_the_house(self) -> bool:
        """Whether the trigger was a press with which the door begins to ring the house."""
        return self.trigger is Trigger.PRESS and self.allowed and self.phase is Phase.RINGING_OUT


Guard = Callable[["Machine", "EventData"], bool]


@dataclass(frozen=True)
class Rule:
    """One row of the table: in `source`, when `guard` holds, `trigger` does this. The first row that holds decides."""

    trigger: Trigger
    source: State
    verdict: Verdict
    dest: State | None
    "None keeps the state"
    reason: str
    guard: Guard | None = None
    effect: str = ""
    "name of the method of `Machine` that changes the facts"


def _no_call(machine: Machine, _: EventData) -> bool:
    return machine.phase is Phase.NONE


def _door_rings(machine: Machine, _: EventData) -> bool:
    return machine.phase is Phase.RINGING_IN


def _call_rings(machine: Machine, _: EventData) -> bool:
    return machine.phase in (Phase.RINGING_IN, Phase.RINGING_OUT)


def _can_call(machine: Machine, _: EventData) -> bool:
    return machine.registered and machine.phase is Phase.NONE


def _is_registered(machine: Machine, _: EventData) -> bool:
    return machine.registered


def _this_call_rings(machine: Machine, event: EventData) -> bool:
    return _call_rings(machine, event) and event.kwargs.get("call") == machine.call


def _this_call(machine: Machine, event: EventData) -> bool:
    return machine.call is not None and event.kwargs.get("call") == machine.call


def _this_call_and_registered(machine: Machine, event: EventData) -> bool:
    return _this_call(machine, event) and machine.registered


def _only_the_call_was_broken(machine: Machine, event: EventData) -> bool:
    return _this_call(machine, event) and machine.faults <= {Fault.MEDIA}


def _only_the_call_was_broken_and_registered(machine: Machine, event: EventData) -> bool:
    return _only_the_call_was_broken(machine, event) and machine.registered


def _media_without_talk(machine: Machine, event: EventData) -> bool:
    return event.kwargs.get("kind") is Fault.MEDIA and machine.phase is not Phase.ACTIVE


def _call_without_media(machine: Machine, event: EventData) -> bool:
    return _this_call(machine, event) and Fault.MEDIA in machine.faults


def _only_without_media(machine: Machine, event: EventData) -> bool:
    return _this_call(machine, event) and machine.faults == {Fault.MEDIA}


def _only_without_media_and_registered(machine: Machine, event: EventData) -> bool:
    return _only_without_media(machine, event) and machine.registered


def _last_fault(machine: Machine, event: EventData) -> bool:
    return machine.faults == {event.kwargs.get("kind")}


def _last_fault_and(phases: tuple[Phase, ...]) -> Guard:
    def guard(machine: Machine, event: EventData) -> bool:
        return _last_fault(machine, event) and machine.phase in phases

    return guard


def _last_fault_and_registered(machine: Machine, event: EventData) -> bool:
    return _last_fault(machine, event) and machine.phase is Phase.NONE and machine.registered


_ALLOWED, _IGNORED, _REFUSED = Verdict.ALLOWED, Verdict.IGNORED, Verdict.REFUSED
_IDLE, _REGISTERING, _RINGING = State.IDLE, State.REGISTERING, State.RINGING
_IN_CALL, _RECOVERING = State.IN_CALL, State.RECOVERING
_CALLING = (Phase.RINGING_IN, Phase.RINGING_OUT)


def _press() -> Iterator[Rule]:
    press = Trigger.PRESS
    yield Rule(press, _IDLE, _ALLOWED, _RINGING, "the house rings", effect="ring_out")
    yield Rule(press, _REGISTERING, _REFUSED, None, "the house cannot be reached yet")
    yield Rule(press, _RINGING, _ALLOWED, _IN_CALL, "the visitor answers", _door_rings, "activate")
    yield Rule(press, _RINGING, _IGNORED, None, "the house rings already")
    yield Rule(press, _IN_CALL, _IGNORED, None, "they talk already")
    yield Rule(press, _RECOVERING, _ALLOWED, None, "the house rings in spite of the fault", _can_call, "ring_out")
    yield Rule(press, _RECOVERING, _ALLOWED, None, "the visitor answers", _door_rings, "activate")
    yield Rule(press, _RECOVERING, _REFUSED, None, "the house cannot be reached yet", _no_call)
    yield Rule(press, _RECOVERING, _IGNORED, None, "there is a call already")


def _hold() -> Iterator[Rule]:
    hold = Trigger.HOLD
    yield Rule(hold, _RINGING, _ALLOWED, _IDLE, "the visitor gives up", _is_registered, "end")
    yield Rule(hold, _RINGING, _ALLOWED, _REGISTERING, "the visitor gives up", effect="end")
    yield Rule(hold, _RECOVERING, _ALLOWED, None, "the visitor gives up", _call_rings, "end")
    yield Rule(hold, _IN_CALL, _IGNORED, None, "the house ends a call")
    for state in (_IDLE, _REGISTERING, _RECOVERING):
        yield Rule(hold, state, _IGNORED, None, "nothing rings")


def _incoming() -> Iterator[Rule]:
    incoming = Trigger.INCOMING
    for state in (_IDLE, _REGISTERING):
        yield Rule(incoming, state, _ALLOWED, _RINGING, "the door rings", effect="ring_in")
    yield Rule(incoming, _RECOVERING, _ALLOWED, None, "the door rings in spite of the fault", _no_call, "ring_in")
    for state in (_RINGING, _IN_CALL, _RECOVERING):
        yield Rule(incoming, state, _REFUSED, None, "the door is busy")


def _answered() -> Iterator[Rule]:
    answered = Trigger.ANSWERED
    yield Rule(answered, _RINGING, _ALLOWED, _IN_CALL, "they talk", _this_call_rings, "activate")
    yield Rule(answered, _RECOVERING, _ALLOWED, None, "they talk in spite of the fault", _this_call_rings, "activate")
    for state in State:
        yield Rule(answered, state, _IGNORED, None, "not a call that rings")


def _ended() -> Iterator[Rule]:
    ended = Trigger.ENDED
    for state in (_RINGING, _IN_CALL):
        yield Rule(ended, state, _ALLOWED, _IDLE, "the call is over", _this_call_and_registered, "end")
        yield Rule(ended, state, _ALLOWED, _REGISTERING, "the call is over", _this_call, "end")
    over = "the call is over, and its fault with it"
    yield Rule(ended, _RECOVERING, _ALLOWED, _IDLE, over, _only_the_call_was_broken_and_registered, "end")
    yield Rule(ended, _RECOVERING, _ALLOWED, _REGISTERING, over, _only_the_call_was_broken, "end")
    yield Rule(ended, _RECOVERING, _ALLOWED, None, "the call is over", _this_call, "end")
    for state in State:
        yield Rule(ended, state, _IGNORED, None, "an earlier call")


def _registration() -> Iterator[Rule]:
    yield Rule(Trigger.REGISTERED, _REGISTERING, _ALLOWED, _IDLE, "the service knows us", effect="note_registered")
    yield Rule(Trigger.UNREGISTERED, _IDLE, _ALLOWED, _REGISTERING, "the service is lost", effect="note_unregistered")
    for state in (_IDLE, _RINGING, _IN_CALL, _RECOVERING):
        yield Rule(Trigger.REGISTERED, state, _ALLOWED, None, "noted", effect="note_registered")
    for state in (_REGISTERING, _RINGING, _IN_CALL, _RECOVERING):
        yield Rule(Trigger.UNREGISTERED, state, _ALLOWED, None, "noted", effect="note_unregistered")


def _faults() -> Iterator[Rule]:
    cleared, over = Trigger.FAULT_CLEARED, "the last fault is over"
    for state in (_IDLE, _REGISTERING, _RINGING, _RECOVERING):
        yield Rule(Trigger.FAULT, state, _IGNORED, None, "no call has media", _media_without_talk)
    for state in (_IDLE, _REGISTERING, _RINGING, _IN_CALL):
        yield Rule(Trigger.FAULT, state, _ALLOWED, _RECOVERING, "something broke", effect="open_fault")
        yield Rule(cleared, state, _IGNORED, None, "no fault is open")
    yield Rule(Trigger.FAULT, _RECOVERING, _ALLOWED, None, "something else broke", effect="open_fault")
    yield Rule(cleared, _RECOVERING, _ALLOWED, _IN_CALL, over, _last_fault_and((Phase.ACTIVE,)), "close_fault")
    yield Rule(cleared, _RECOVERING, _ALLOWED, _RINGING, over, _last_fault_and(_CALLING), "close_fault")
    yield Rule(cleared, _RECOVERING, _ALLOWED, _IDLE, over, _last_fault_and_registered, "close_fault")
    yield Rule(cleared, _RECOVERING, _ALLOWED, _REGISTERING, over, _last_fault, "close_fault")
    yield Rule(cleared, _RECOVERING, _ALLOWED, None, "other faults are open", effect="close_fault")


def _given_up() -> Iterator[Rule]:
    given_up, over = Trigger.GIVEN_UP, "the call's media did not come back"
    yield Rule(given_up, _RECOVERING, _ALLOWED, _IDLE, over, _only_without_media_and_registered, "end")
    yield Rule(given_up, _RECOVERING, _ALLOWED, _REGISTERING, over, _only_without_media, "end")
    yield Rule(given_up, _RECOVERING, _ALLOWED, None, over, _call_without_media, "end")
    for state in State:
        yield Rule(given_up, state, _IGNORED, None, "it came back, or its call is over")


RULES: tuple[Rule, ...] = (
    *_press(),
    *_hold(),
    *_incoming(),
    *_answered(),
    *_ended(),
    *_registration(),
    *_faults(),
    *_given_up(),
)


def diagram() -> str:
    """Return the state diagram in Mermaid's language, drawn from `RULES`."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for rule in RULES:
        if rule.dest is not None:
            labels = arrows.setdefault((rule.source, rule.dest), [])
            if rule.trigger.value not in labels:
                labels.append(rule.trigger.value)
    lines = ["stateDiagram-v2", f"    [*] --> {State.REGISTERING}"]
    lines += [f"    {source} --> {dest}: {', '.join(labels)}" for (source, dest), labels in arrows.items()]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return every (state, trigger) pair and its decisions as a Markdown table."""
    lines = ["| in | when | then | because |", "|---|---|---|---|"]
    for state in State:
        for trigger in Trigger:
            for rule in RULES:
                if (rule.source, rule.trigger) == (state, trigger):
                    then = rule.verdict.value if rule.dest is None else f"→ {rule.dest}"
                    lines.append(f"| {state} | {trigger} | {then} | {rule.reason} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return `docs/states.md`, whole."""
    return (
        "# The states of the door station\n\n"
        "Generated from `intercom/door/rules.py` by `python -m intercom.door.rules`; a test keeps it true.\n\n"
        f"```mermaid\n{diagram()}```\n\n"
        "Where a pair stands more than once, the first row whose guard holds decides.\n\n"
        f"{table()}"
    )


if __name__ == "__main__":
    print(page(), end="")
