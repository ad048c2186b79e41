"""The machine: every pair is decided, and no sequence of facts breaks what must always hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.door import state_table
from intercom.door.health.faults import Faults
from intercom.door.machine import Decision, Fault, Machine, Phase, State, Trigger, Verdict

ROOT = Path(__file__).parents[2]


def machine_in(state: State) -> Machine:
    """A machine that has come to `state` by the shortest way."""
    machine = Machine()
    if state is State.REGISTERING:
        return machine
    machine.now_registered()
    if state is State.RECOVERING:
        machine.fault(Fault.SPEAKER)
    if state in (State.RINGING, State.IN_CALL):
        machine.press()
    if state is State.IN_CALL:
        assert machine.call is not None
        machine.answered(machine.call)
    assert machine.state == state
    return machine


def fire(machine: Machine, trigger: Trigger, call: int = 0, kind: Fault = Fault.SPEAKER) -> Decision:
    match trigger:
        case Trigger.PRESS:
            return machine.press()
        case Trigger.HOLD:
            return machine.hold()
        case Trigger.OPENED:
            return machine.opened()
        case Trigger.INCOMING:
            return machine.incoming()
        case Trigger.ANSWERED:
            return machine.answered(call)
        case Trigger.ENDED:
            return machine.ended(call)
        case Trigger.REGISTERED:
            return machine.now_registered()
        case Trigger.UNREGISTERED:
            return machine.now_unregistered()
        case Trigger.FAULT:
            return machine.fault(kind)
        case Trigger.FAULT_CLEARED:
            return machine.fault_cleared(kind)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
def test_every_trigger_is_decided_in_every_state(state: State, trigger: Trigger) -> None:
    machine = machine_in(state)
    decision = fire(machine, trigger, call=machine.call or 0)
    assert decision.source is state
    assert decision.dest == machine.state
    assert decision.reason


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("trigger", Trigger)
def test_the_last_rule_of_every_pair_has_no_guard(phase: Phase, trigger: Trigger) -> None:
    rows = [rule for rule in state_table.RULES if phase in rule.phases and rule.trigger is trigger]
    assert rows[-1].guard is None
    assert all(rule.guard for rule in rows[:-1])


def test_a_press_rings_the_house_and_the_answer_makes_a_call() -> None:
    machine = machine_in(State.IDLE)
    press = machine.press()
    assert (press.verdict, press.dest, machine.phase) == (Verdict.ALLOWED, State.RINGING, Phase.RINGING_OUT)
    assert press.call is not None
    answer = machine.answered(press.call)
    assert (answer.dest, machine.phase) == (State.IN_CALL, Phase.ACTIVE)


def test_a_press_without_registration_is_refused_with_the_reason() -> None:
    decision = machine_in(State.REGISTERING).press()
    assert decision.verdict is Verdict.REFUSED
    assert decision.reason == "the house cannot be reached yet"


def test_a_press_answers_when_the_door_rings() -> None:
    machine = machine_in(State.IDLE)
    incoming = machine.incoming()
    press = machine.press()
    assert (press.dest, press.call) == (State.IN_CALL, incoming.call)


def test_a_second_caller_finds_the_door_busy() -> None:
    for state in (State.RINGING, State.IN_CALL):
        machine = machine_in(state)
        before = machine.call
        assert machine.incoming().verdict is Verdict.REFUSED
        assert machine.call == before


def test_the_end_of_an_earlier_call_does_not_end_this_one() -> None:
    machine = machine_in(State.IDLE)
    first = machine.press().call
    assert first is not None
    machine.ended(first)
    machine.press()
    assert machine.ended(first).verdict is Verdict.IGNORED
    assert machine.state == State.RINGING


def test_an_opening_ends_the_ringing_in_the_house_and_nothing_else() -> None:
    machine = machine_in(State.RINGING)
    phase = machine.phase
    decision = machine.opened()
    assert decision.allowed is (phase is Phase.RINGING_OUT)
    assert not machine.opened().allowed


def test_holding_the_button_gives_up_what_rings() -> None:
    machine = machine_in(State.RINGING)
    ticket = machine.call
    decision = machine.hold()
    assert (decision.dest, decision.call) == (State.IDLE, ticket)


def test_a_call_outlives_the_registration() -> None:
    machine = machine_in(State.IN_CALL)
    machine.now_unregistered()
    assert machine.state == State.IN_CALL
    assert machine.call is not None
    assert machine.ended(machine.call).dest is State.REGISTERING


def test_a_fault_in_a_call_returns_to_the_call() -> None:
    machine = machine_in(State.IN_CALL)
    assert machine.fault(Fault.SPEAKER).dest is State.RECOVERING
    assert machine.fault_cleared(Fault.SPEAKER).dest is State.IN_CALL


def test_a_call_that_ends_during_a_fault_is_not_returned_to() -> None:
    machine = machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    machine.fault(Fault.SPEAKER)
    machine.ended(ticket)
    assert machine.fault_cleared(Fault.SPEAKER).dest is State.IDLE


def test_a_call_takes_its_silence_with_it_when_it_ends() -> None:
    machine = machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    machine.fault(Fault.MEDIA)
    assert machine.ended(ticket).dest is State.IDLE
    assert machine.faults == set()


def test_silence_reported_after_the_call_is_no_fault() -> None:
    machine = machine_in(State.IDLE)
    assert machine.fault(Fault.MEDIA).verdict is Verdict.IGNORED


def test_a_call_that_ends_without_sound_leaves_the_other_faults_open() -> None:
    machine = machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    machine.fault(Fault.MEDIA)
    machine.fault(Fault.SPEAKER)
    assert machine.ended(ticket).dest is State.RECOVERING
    assert machine.faults == {Fault.SPEAKER}


def test_recovering_lasts_until_the_last_fault_closes() -> None:
    machine = machine_in(State.RECOVERING)
    machine.fault(Fault.CAMERA)
    assert machine.fault_cleared(Fault.SPEAKER).dest is State.RECOVERING
    assert machine.fault_cleared(Fault.CAMERA).dest is State.IDLE


def test_a_visitor_rings_the_house_in_spite_of_a_fault() -> None:
    machine = machine_in(State.RECOVERING)
    press = machine.press()
    assert (press.verdict, press.dest, machine.phase) == (Verdict.ALLOWED, State.RECOVERING, Phase.RINGING_OUT)
    assert machine.fault_cleared(Fault.SPEAKER).dest is State.RINGING


def test_triggers_that_come_together_are_decided_one_after_the_other() -> None:
    machine = machine_in(State.IDLE)
    decisions = [machine.press(), machine.incoming(), machine.press()]
    assert [decision.verdict for decision in decisions] == [Verdict.ALLOWED, Verdict.REFUSED, Verdict.IGNORED]


def test_a_decision_waits_for_no_turn_of_an_event_loop() -> None:
    told: list[Decision] = []
    machine = Machine(told.append)
    press = machine.press()
    assert told == [press]


def test_a_fault_that_no_visitor_notices_leaves_the_state() -> None:
    faults = Faults()
    machine = Machine(faults=faults)
    faults.begin("disk", "it is full")
    assert machine.state is State.REGISTERING


def test_a_fault_is_kept_with_the_reason_that_the_machine_was_told() -> None:
    faults = Faults()
    machine = Machine(faults=faults)
    machine.fault(Fault.SPEAKER, "it was unplugged")
    assert faults.open[Fault.SPEAKER].why == "it was unplugged"
    machine.fault_cleared(Fault.SPEAKER)
    assert [(fault.kind, fault.why) for fault in faults.past] == [(Fault.SPEAKER, "it was unplugged")]


def check_invariants(machine: Machine, decision: Decision) -> None:
    state = State(machine.state)
    assert (machine.call is None) == (machine.phase is Phase.NONE)
    assert (state is State.RECOVERING) == bool(machine.faults)
    if state is State.IN_CALL:
        assert machine.phase is Phase.ACTIVE
    if state is State.RINGING:
        assert machine.phase in (Phase.RINGING_OUT, Phase.RINGING_IN)
    if state is State.IDLE:
        assert machine.registered
    if state in (State.IDLE, State.REGISTERING):
        assert machine.phase is Phase.NONE
    if decision.trigger is Trigger.ENDED and decision.allowed and not machine.faults:
        assert state in (State.IDLE, State.REGISTERING)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(Trigger), st.integers(0, 2), st.sampled_from(Fault)), max_size=40))
def test_no_sequence_of_facts_breaks_the_invariants(facts: list[tuple[Trigger, int, Fault]]) -> None:
    calls_open: set[int] = set()
    machine = Machine()
    for trigger, age, kind in facts:
        ticket = max((machine.call or 1) - age, 0)
        decision = fire(machine, trigger, ticket, kind)
        check_invariants(machine, decision)
        if machine.call is None:
            calls_open.clear()
        else:
            calls_open.add(machine.call)
        assert len(calls_open) <= 1


def test_the_page_in_docs_is_the_one_that_the_table_draws() -> None:
    assert (ROOT / "docs" / "states.md").read_text() == state_table.page()
