"""The door station's state machine.

The machine is pure: facts go in as triggers, decisions come out, and nothing here reads a pin or a socket.
Its state follows from three facts: which call there is (`Phase`), whether the service knows us (`registered`)
and which faults are open (`Faults`). One that visitors notice shows as `recovering`, whatever goes on beneath it, so
that a call that survives a fault is found again when the fault closes. `rules.py` holds every decision.

A decision is made when the method returns: no other work of the event loop comes between the fact, the decision and
what the caller does about it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from transitions import EventData
from transitions import Machine as PhaseMachine
from transitions import State as PhaseState

from intercom.door.health.faults import Faults
from intercom.door.state_table import RULES, About, Decision, Fault, Phase, Rule, State, Trigger, Verdict, state_of

__all__ = ["Decision", "Fault", "Machine", "Phase", "State", "Trigger", "Verdict"]


class Machine:
    """The state of a door station. Feed it with triggers from one thread; each returns its `Decision`.

    `on_decision` is called with every decision, after the state has changed.
    """

    phase: Phase
    "phase of the one call; the library sets it"

    def __init__(
        self, on_decision: Callable[[Decision], None] = lambda decision: None, *, faults: Faults | None = None
    ) -> None:
        self.call: int | None = None
        "ticket of the one call, or None"
        self.registered = False
        self._faults = faults if faults is not None else Faults()
        self.on_decision = on_decision
        self._tickets = 0
        self._decided = RULES[0]
        entering = {
            Phase.NONE: self._drop_call,
            Phase.RINGING_OUT: self._take_ticket,
            Phase.RINGING_IN: self._take_ticket,
        }
        self._machine = PhaseMachine(
            model=self,
            model_attribute="phase",
            states=[PhaseState(phase, on_enter=entering.get(phase)) for phase in Phase],
            initial=Phase.NONE,
            auto_transitions=False,
            send_event=True,
        )
        for rule in RULES:
            self._machine.add_transition(
                f"_{rule.trigger}",
                list(rule.phases),
                rule.then,
                conditions=partial(self._holds, rule),
                before=partial(self._decide, rule),
            )

    @property
    def state(self) -> State:
        """The state that follows from the facts."""
        return state_of(self)

    @property
    def faults(self) -> frozenset[Fault]:
        """The open faults that visitors notice."""
        return self._faults.noticed

    def press(self) -> Decision:
        """Take the visitor's press. Allowed while the house calls only to answer; else its `call` is a new ticket."""
        return self._fire(Trigger.PRESS)

    def hold(self) -> Decision:
        """Take the visitor's hold of the button, which ends the ringing."""
        return self._fire(Trigger.HOLD)

    def opened(self) -> Decision:
        """Take the opening of the door, which ends the ringing: the visitor is let in."""
        return self._fire(Trigger.OPENED)

    def incoming(self) -> Decision:
        """Take an incoming call. Refused: tell the caller that the door is busy. Allowed: `call` is its ticket."""
        return self._fire(Trigger.INCOMING)

    def answered(self, call: int) -> Decision:
        """Take the answer, by either end, of the call with this ticket."""
        return self._fire(Trigger.ANSWERED, call)

    def ended(self, call: int) -> Decision:
        """Take the end of the call with this ticket, for any cause."""
        return self._fire(Trigger.ENDED, call)

    def now_registered(self) -> Decision:
        """Take the registration: the service will send calls to the door."""
        return self._fire(Trigger.REGISTERED)

    def now_unregistered(self) -> Decision:
        """Take the loss of the registration: the service cannot reach the door; a call's media may go on."""
        return self._fire(Trigger.UNREGISTERED)

    def fault(self, kind: Fault, why: str = "") -> Decision:
        """Take the report that something broke which visitors notice."""
        return self._fire(Trigger.FAULT, kind, why)

    def fault_cleared(self, kind: Fault) -> Decision:
        """Take the report that the part works again, or that nobody needs it any more."""
        return self._fire(Trigger.FAULT_CLEARED, kind)

    def _fire(self, trigger: Trigger, about: About = None, why: str = "") -> Decision:
        source, before = self.state, self.call
        self._machine.events[f"_{trigger}"].trigger(self, about=about, why=why)
        rule, call = self._decided, about if isinstance(about, int) else self.call or before
        decision = Decision(trigger, source, self.state, rule.verdict, rule.reason, call, self.phase)
        self.on_decision(decision)
        return decision

    def _holds(self, rule: Rule, event: EventData) -> bool:
        return rule.guard is None or rule.guard(self, event.kwargs["about"])

    def _decide(self, rule: Rule, event: EventData) -> None:
        self._decided = rule
        if rule.verdict is not Verdict.ALLOWED:
            return
        match rule.trigger:
            case Trigger.REGISTERED | Trigger.UNREGISTERED:
                self.registered = rule.trigger is Trigger.REGISTERED
            case Trigger.FAULT:
                self._faults.begin(event.kwargs["about"], event.kwargs["why"])
            case Trigger.FAULT_CLEARED:
                self._faults.clear(event.kwargs["about"])

    def _take_ticket(self, _: EventData) -> None:
        self._tickets += 1
        self.call = self._tickets

    def _drop_call(self, _: EventData) -> None:
        self.call = None
        self._faults.clear(Fault.MEDIA)
