"""The door station's state machine.

The machine is pure: facts go in as triggers, decisions come out, and nothing here reads a clock, a pin or a socket.
Its state follows from three facts: which call there is (`Phase`), whether the service knows us (`registered`)
and which faults are open (`faults`). An open fault shows as `recovering`, whatever goes on beneath it, so that a
call that survives a fault is found again when the fault closes. `rules.py` holds every decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from transitions import EventData
from transitions.extensions.asyncio import AsyncMachine

from intercom.door.rules import RULES, Decision, Fault, Guard, Phase, Rule, State, Trigger, Verdict

__all__ = ["Decision", "Fault", "Machine", "Phase", "State", "Trigger", "Verdict"]


class Machine:
    """The state of a door station. Feed it with triggers from one event loop; each returns its `Decision`.

    `on_decision` is called with every decision, after the state has changed.
    """

    state: State

    def __init__(self, on_decision: Callable[[Decision], None] = lambda decision: None) -> None:
        self.phase = Phase.NONE
        self.call: int | None = None
        "ticket of the one call, or None"
        self.registered = False
        self.faults: set[Fault] = set()
        self.on_decision = on_decision
        self._tickets = 0
        self._one_at_a_time = asyncio.Lock()
        self._decided: Rule = RULES[0]
        self._machine = AsyncMachine(
            model=self,
            states=[state.value for state in State],
            initial=State.REGISTERING.value,
            auto_transitions=False,
            send_event=True,
        )
        for rule in RULES:
            self._machine.add_transition(
                f"_{rule.trigger}",
                rule.source.value,
                rule.dest.value if rule.dest else None,
                conditions=[self._bound(rule.guard)] if rule.guard else None,
                before=[self._applies(rule)],
            )

    def _bound(self, guard: Guard) -> Callable[[EventData], bool]:
        return lambda event: guard(self, event)

    def _applies(self, rule: Rule) -> Callable[[EventData], None]:
        def apply(event: EventData) -> None:
            self._decided = rule
            if rule.effect:
                getattr(self, f"_{rule.effect}")(event)

        return apply

    async def _fire(self, trigger: Trigger, **facts: Any) -> Decision:
        async with self._one_at_a_time:
            source, call = State(self.state), facts.get("call", self.call)
            await getattr(self, f"_{trigger}")(**facts)
            rule = self._decided
            if rule.effect in ("ring_out", "ring_in"):
                call = self.call
            decision = Decision(trigger, source, State(self.state), rule.verdict, rule.reason, call, self.phase)
        self.on_decision(decision)
        return decision

    async def press(self) -> Decision:
        """Take the visitor's press. Allowed in `ringing` only to answer; else its `call` is a new ticket."""
        return await self._fire(Trigger.PRESS)

    async def hold(self) -> Decision:
        """Take the visitor's hold of the button, which ends the ringing."""
        return await self._fire(Trigger.HOLD)

    async def incoming(self) -> Decision:
        """Take an incoming call. Refused: tell the caller that the door is busy. Allowed: `call` is its ticket."""
        return await self._fire(Trigger.INCOMING)

    async def answered(self, call: int) -> Decision:
        """Take the answer, by either end, of the call with this ticket."""
        return await self._fire(Trigger.ANSWERED, call=call)

    async def ended(self, call: int) -> Decision:
        """Take the end of the call with this ticket, for any cause."""
        return await self._fire(Trigger.ENDED, call=call)

    async def now_registered(self) -> Decision:
        """Take the registration: the service will send calls to the door."""
        return await self._fire(Trigger.REGISTERED)

    async def now_unregistered(self) -> Decision:
        """Take the loss of the registration: the service cannot reach the door; a call's media may go on."""
        return await self._fire(Trigger.UNREGISTERED)

    async def fault(self, kind: Fault) -> Decision:
        """Open a fault."""
        return await self._fire(Trigger.FAULT, kind=kind)

    async def fault_cleared(self, kind: Fault) -> Decision:
        """Clear a fault."""
        return await self._fire(Trigger.FAULT_CLEARED, kind=kind)

    async def given_up(self, call: int) -> Decision:
        """Give up the call with this ticket, whose media was away for too long. Allowed: the call is over."""
        return await self._fire(Trigger.GIVEN_UP, call=call)

    def _ring_out(self, _: EventData) -> None:
        self._take_ticket(Phase.RINGING_OUT)

    def _ring_in(self, _: EventData) -> None:
        self._take_ticket(Phase.RINGING_IN)

    def _take_ticket(self, phase: Phase) -> None:
        self._tickets += 1
        self.call, self.phase = self._tickets, phase

    def _activate(self, _: EventData) -> None:
        self.phase = Phase.ACTIVE

    def _end(self, _: EventData) -> None:
        self.call, self.phase = None, Phase.NONE
        self.faults.discard(Fault.MEDIA)

    def _note_registered(self, _: EventData) -> None:
        self.registered = True

    def _note_unregistered(self, _: EventData) -> None:
        self.registered = False

    def _open_fault(self, event: EventData) -> None:
        self.faults.add(event.kwargs["kind"])

    def _close_fault(self, event: EventData) -> None:
        self.faults.discard(event.kwargs["kind"])
