"""The machine: every pair is decided, and no sequence of facts breaks what must always hold."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.door import rules as machine_table
from intercom.door.machine import Decision, Fault, Machine, Phase, State, Trigger, Verdict

ROOT = Path(__file__).parents[2]


async def machine_in(state: State) -> Machine:
    """A machine that has come to `state` by the shortest way."""
    machine = Machine()
    if state is State.REGISTERING:
        return machine
    await machine.now_registered()
    if state is State.RECOVERING:
        await machine.fault(Fault.SPEAKER)
    if state in (State.RINGING, State.IN_CALL):
        await machine.press()
    if state is State.IN_CALL:
        assert machine.call is not None
        await machine.answered(machine.call)
    assert machine.state == state
    return machine


async def fire(machine: Machine, trigger: Trigger, call: int = 0, kind: Fault = Fault.SPEAKER) -> Decision:
    match trigger:
        case Trigger.PRESS:
            return await machine.press()
        case Trigger.HOLD:
            return await machine.hold()
        case Trigger.INCOMING:
            return await machine.incoming()
        case Trigger.ANSWERED:
            return await machine.answered(call)
        case Trigger.ENDED:
            return await machine.ended(call)
        case Trigger.REGISTERED:
            return await machine.now_registered()
        case Trigger.UNREGISTERED:
            return await machine.now_unregistered()
        case Trigger.FAULT:
            return await machine.fault(kind)
        case Trigger.FAULT_CLEARED:
            return await machine.fault_cleared(kind)
        case Trigger.GIVEN_UP:
            return await machine.given_up(call)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
async def test_every_trigger_is_decided_in_every_state(state: State, trigger: Trigger) -> None:
    machine = await machine_in(state)
    decision = await fire(machine, trigger, call=machine.call or 0)
    assert decision.source is state
    assert decision.dest == machine.state
    assert decision.reason


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
def test_the_last_rule_of_every_pair_has_no_guard(state: State, trigger: Trigger) -> None:
    rules = [rule for rule in machine_table.RULES if (rule.source, rule.trigger) == (state, trigger)]
    assert rules[-1].guard is None
    assert all(rule.guard for rule in rules[:-1])


async def test_a_press_rings_the_house_and_the_answer_makes_a_call() -> None:
    machine = await machine_in(State.IDLE)
    press = await machine.press()
    assert (press.verdict, press.dest, machine.phase) == (Verdict.ALLOWED, State.RINGING, Phase.RINGING_OUT)
    assert press.call is not None
    answer = await machine.answered(press.call)
    assert (answer.dest, machine.phase) == (State.IN_CALL, Phase.ACTIVE)


async def test_a_press_without_registration_is_refused_with_the_reason() -> None:
    decision = await (await machine_in(State.REGISTERING)).press()
    assert decision.verdict is Verdict.REFUSED
    assert decision.reason == "the house cannot be reached yet"


async def test_a_press_answers_when_the_door_rings() -> None:
    machine = await machine_in(State.IDLE)
    incoming = await machine.incoming()
    press = await machine.press()
    assert (press.dest, press.call) == (State.IN_CALL, incoming.call)


async def test_a_second_caller_finds_the_door_busy() -> None:
    for state in (State.RINGING, State.IN_CALL):
        machine = await machine_in(state)
        before = machine.call
        assert (await machine.incoming()).verdict is Verdict.REFUSED
        assert machine.call == before


async def test_the_end_of_an_earlier_call_does_not_end_this_one() -> None:
    machine = await machine_in(State.IDLE)
    first = (await machine.press()).call
    assert first is not None
    await machine.ended(first)
    await machine.press()
    assert (await machine.ended(first)).verdict is Verdict.IGNORED
    assert machine.state == State.RINGING


async def test_holding_the_button_gives_up_what_rings() -> None:
    machine = await machine_in(State.RINGING)
    ticket = machine.call
    decision = await machine.hold()
    assert (decision.dest, decision.call) == (State.IDLE, ticket)


async def test_a_call_outlives_the_registration() -> None:
    machine = await machine_in(State.IN_CALL)
    await machine.now_unregistered()
    assert machine.state == State.IN_CALL
    assert machine.call is not None
    assert (await machine.ended(machine.call)).dest is State.REGISTERING


async def test_a_fault_in_a_call_returns_to_the_call() -> None:
    machine = await machine_in(State.IN_CALL)
    assert (await machine.fault(Fault.SPEAKER)).dest is State.RECOVERING
    assert (await machine.fault_cleared(Fault.SPEAKER)).dest is State.IN_CALL


async def test_a_call_that_ends_during_a_fault_is_not_returned_to() -> None:
    machine = await machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    await machine.fault(Fault.SPEAKER)
    await machine.ended(ticket)
    assert (await machine.fault_cleared(Fault.SPEAKER)).dest is State.IDLE


async def test_a_call_takes_its_silence_with_it_when_it_ends() -> None:
    machine = await machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    await machine.fault(Fault.MEDIA)
    assert (await machine.ended(ticket)).dest is State.IDLE
    assert machine.faults == set()


async def test_silence_reported_after_the_call_is_no_fault() -> None:
    machine = await machine_in(State.IDLE)
    assert (await machine.fault(Fault.MEDIA)).verdict is Verdict.IGNORED


async def test_a_call_whose_sound_does_not_come_back_is_given_up() -> None:
    machine = await machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    await machine.fault(Fault.MEDIA)
    assert (await machine.given_up(ticket)).dest is State.IDLE
    assert (machine.call, machine.faults) == (None, set())


async def test_a_call_is_given_up_for_its_sound_only_while_that_is_away() -> None:
    machine = await machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    await machine.fault(Fault.MEDIA)
    await machine.fault(Fault.CAMERA)
    await machine.fault_cleared(Fault.MEDIA)
    assert (await machine.given_up(ticket)).verdict is Verdict.IGNORED
    assert machine.call == ticket


async def test_giving_a_call_up_leaves_the_other_faults_open() -> None:
    machine = await machine_in(State.IN_CALL)
    ticket = machine.call
    assert ticket is not None
    await machine.fault(Fault.MEDIA)
    await machine.fault(Fault.SPEAKER)
    assert (await machine.given_up(ticket)).dest is State.RECOVERING
    assert machine.faults == {Fault.SPEAKER}


async def test_recovering_lasts_until_the_last_fault_closes() -> None:
    machine = await machine_in(State.RECOVERING)
    await machine.fault(Fault.CAMERA)
    assert (await machine.fault_cleared(Fault.SPEAKER)).dest is State.RECOVERING
    assert (await machine.fault_cleared(Fault.CAMERA)).dest is State.IDLE


async def test_a_visitor_rings_the_house_in_spite_of_a_fault() -> None:
    machine = await machine_in(State.RECOVERING)
    press = await machine.press()
    assert (press.verdict, press.dest, machine.phase) == (Verdict.ALLOWED, State.RECOVERING, Phase.RINGING_OUT)
    assert (await machine.fault_cleared(Fault.SPEAKER)).dest is State.RINGING


async def test_triggers_that_come_together_are_decided_one_after_the_other() -> None:
    machine = await machine_in(State.IDLE)
    decisions = await asyncio.gather(machine.press(), machine.incoming(), machine.press())
    assert [decision.verdict for decision in decisions] == [Verdict.ALLOWED, Verdict.REFUSED, Verdict.IGNORED]


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
    if decision.trigger in (Trigger.ENDED, Trigger.GIVEN_UP) and decision.allowed and not machine.faults:
        assert state in (State.IDLE, State.REGISTERING)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(Trigger), st.integers(0, 2), st.sampled_from(Fault)), max_size=40))
def test_no_sequence_of_facts_breaks_the_invariants(facts: list[tuple[Trigger, int, Fault]]) -> None:
    async def walk() -> None:
        calls_open: set[int] = set()
        machine = Machine()
        for trigger, age, kind in facts:
            ticket = max((machine.call or 1) - age, 0)
            decision = await fire(machine, trigger, ticket, kind)
            check_invariants(machine, decision)
            if machine.call is None:
                calls_open.clear()
            else:
                calls_open.add(machine.call)
            assert len(calls_open) <= 1

    asyncio.run(walk())


def test_the_page_in_docs_is_the_one_that_the_table_draws() -> None:
    assert (ROOT / "docs" / "states.md").read_text() == machine_table.page()
