"""The table of the machine in `machine.py`: the decision for each trigger in each phase of the call, and the states."""

from __future__ import annotations

import enum
from collections.abc import Callable, Set
from typing import Protocol

import msgspec


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
    OPENED = "opened"
    INCOMING = "incoming"
    ANSWERED = "answered"
    ENDED = "ended"
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    FAULT = "fault"
    FAULT_CLEARED = "fault_cleared"


class Fault(enum.StrEnum):
    """Faults that visitors notice, and that leave the rest of the door working."""

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


class Decision(msgspec.Struct, frozen=True):
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


class Facts(Protocol):
    """The facts that decide: the machine's own."""

    phase: Phase
    call: int | None
    registered: bool

    @property
    def faults(self) -> Set[Fault]:
        """The open faults that visitors notice."""


About = int | Fault | None
"""Subject of a trigger: the ticket of a call, or a fault."""
Guard = Callable[[Facts, About], bool]


class Rule(msgspec.Struct, frozen=True):
    """One row of the table: in these phases, `trigger` does this if `guard` holds. The first row that holds decides."""

    trigger: Trigger
    phases: tuple[Phase, ...]
    verdict: Verdict
    reason: str
    then: Phase | None = None
    "None keeps the phase"
    guard: Guard | None = None


def _is_registered(facts: Facts, _: About) -> bool:
    return facts.registered


def _is_this_call(facts: Facts, about: About) -> bool:
    return facts.call is not None and about == facts.call


def _is_media(_: Facts, about: About) -> bool:
    return about == Fault.MEDIA


def _is_open(facts: Facts, about: About) -> bool:
    return about in facts.faults


_ALLOWED, _IGNORED, _REFUSED = Verdict.ALLOWED, Verdict.IGNORED, Verdict.REFUSED
_ALWAYS = tuple(Phase)
_NONE, _RINGS, _ACTIVE = (Phase.NONE,), (Phase.RINGING_OUT, Phase.RINGING_IN), (Phase.ACTIVE,)

RULES: tuple[Rule, ...] = (
    Rule(Trigger.PRESS, _NONE, _ALLOWED, "the house rings", Phase.RINGING_OUT, _is_registered),
    Rule(Trigger.PRESS, _NONE, _REFUSED, "the house cannot be reached yet"),
    Rule(Trigger.PRESS, (Phase.RINGING_OUT,), _IGNORED, "the house rings already"),
    Rule(Trigger.PRESS, (Phase.RINGING_IN,), _ALLOWED, "the visitor answers", Phase.ACTIVE),
    Rule(Trigger.PRESS, _ACTIVE, _IGNORED, "they talk already"),
    Rule(Trigger.HOLD, _NONE, _IGNORED, "nothing rings"),
    Rule(Trigger.HOLD, _RINGS, _ALLOWED, "the visitor gives up", Phase.NONE),
    Rule(Trigger.HOLD, _ACTIVE, _IGNORED, "the house ends a call"),
    Rule(Trigger.OPENED, (Phase.RINGING_OUT,), _ALLOWED, "somebody lets the visitor in", Phase.NONE),
    Rule(Trigger.OPENED, (Phase.NONE, Phase.RINGING_IN, Phase.ACTIVE), _IGNORED, "nobody is rung"),
    Rule(Trigger.INCOMING, _NONE, _ALLOWED, "the door rings", Phase.RINGING_IN),
    Rule(Trigger.INCOMING, _RINGS + _ACTIVE, _REFUSED, "the door is busy"),
    Rule(Trigger.ANSWERED, _RINGS, _ALLOWED, "they talk", Phase.ACTIVE, _is_this_call),
    Rule(Trigger.ANSWERED, _ALWAYS, _IGNORED, "not a call that rings"),
    Rule(Trigger.ENDED, _RINGS + _ACTIVE, _ALLOWED, "the call is over", Phase.NONE, _is_this_call),
    Rule(Trigger.ENDED, _ALWAYS, _IGNORED, "an earlier call"),
    Rule(Trigger.REGISTERED, _ALWAYS, _ALLOWED, "the service knows us"),
    Rule(Trigger.UNREGISTERED, _ALWAYS, _ALLOWED, "the service is lost"),
    Rule(Trigger.FAULT, _NONE + _RINGS, _IGNORED, "no call has media", guard=_is_media),
    Rule(Trigger.FAULT, _ALWAYS, _ALLOWED, "something broke"),
    Rule(Trigger.FAULT_CLEARED, _ALWAYS, _ALLOWED, "it works again", guard=_is_open),
    Rule(Trigger.FAULT_CLEARED, _ALWAYS, _IGNORED, "that fault is not open"),
)

STATES: tuple[tuple[State, str, Callable[[Facts], bool]], ...] = (
    (
        State.RECOVERING,
        "a fault is open that visitors notice",
        lambda facts: bool(facts.faults),
    ),
    (State.IN_CALL, "the call is `active`", lambda facts: facts.phase is Phase.ACTIVE),
    (State.RINGING, "a call rings", lambda facts: facts.phase is not Phase.NONE),
    (State.IDLE, "the service knows the door", lambda facts: facts.registered),
    (State.REGISTERING, "the service does not know the door", lambda facts: True),
)
"""The state that follows from the facts: the first whose condition holds."""


def state_of(facts: Facts) -> State:
    """Return the state that follows from these facts."""
    return next(state for state, _, holds in STATES if holds(facts))


def diagram() -> str:
    """Return the diagram of a call's phases in Mermaid's language, drawn from `RULES`."""
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for rule in RULES:
        if rule.then is not None:
            for phase in rule.phases:
                arrows.setdefault((phase, rule.then), []).append(rule.trigger)
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.NONE}"]
    lines += [f"    {source} --> {dest}: {', '.join(labels)}" for (source, dest), labels in arrows.items()]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return every trigger and its decisions as a Markdown table."""
    lines = ["| when | in | then | because |", "|---|---|---|---|"]
    for rule in RULES:
        phases = "always" if rule.phases == _ALWAYS else ", ".join(rule.phases)
        then = rule.verdict if rule.then is None else f"→ {rule.then}"
        lines.append(f"| {rule.trigger} | {phases} | {then} | {rule.reason} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return `docs/states.md`, whole."""
    states = "\n".join(f"| {state} | {condition} |" for state, condition, _ in STATES)
    return (
        "# The states of the door station\n\n"
        "Generated from `intercom/door/state_table.py` by `python -m intercom.door.state_table`; a test keeps it "
        "true.\n\n"
        "A door's state follows from three facts: the phase of its one call, whether the service knows the door, and\n"
        "its open faults. The first row that holds names the state:\n\n"
        f"| state | when |\n|---|---|\n{states}\n\n"
        "## The phases of the call\n\n"
        f"```mermaid\n{diagram()}```\n\n"
        "Where a trigger stands more than once for a phase, the first row whose condition holds decides. No fault\n"
        "keeps visitors from ringing and talking.\n\n"
        f"{table()}"
    )


if __name__ == "__main__":
    print(page(), end="")
