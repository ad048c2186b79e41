"""What becomes of a call: each way it can go, and each moment at which it can be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from intercom.config import ButtonConfig, StepConfig
from intercom.door.machine import Fault, Phase
from intercom.signalwire import CallError
from tests.door_in_memory import CLOSING_S, DESCRIBE_S, DIAL_S, HOUSE, Call, DoorInMemory


@pytest.fixture
def door() -> Iterator[DoorInMemory]:
    """A registered door; whatever happened to it, no exception went astray and nothing is left."""
    door = DoorInMemory()
    yield door
    door.close()
    assert door.defects == []
    assert door.loop.unhandled == []
    assert door.journal.open == []


def is_at_rest(door: DoorInMemory) -> bool:
    """Nothing rings, nobody talks, nothing is waited for."""
    door.wait(1)
    return (
        door.phase is Phase.NONE
        and door.plan.call is None
        and not door.feedback.is_trying
        and not door.journal.open
        and all(call.over for call in door.calls)
        and not door.loop.waiting_timers()
    )


# -- each way that a call can go -----------------------------------------------------------------------


def test_a_press_rings_the_house_and_whoever_answers_talks(door: DoorInMemory) -> None:
    call = door.ring()
    assert (call.to, door.phase) == (HOUSE, Phase.RINGING_OUT)
    door.answers(call)
    assert (door.phase, door.journal.answers) == (Phase.ACTIVE, [call])


def test_the_house_hangs_up(door: DoorInMemory) -> None:
    door.ends(door.talk())
    assert door.journal.causes == ["NORMAL_CLEARING"]
    assert door.feedback.failures == []
    assert is_at_rest(door)


@pytest.mark.parametrize("cause", ["USER_BUSY", "CALL_REJECTED", "UNALLOCATED_NUMBER"])
def test_a_house_that_declines_is_not_rung_again(door: DoorInMemory, cause: str) -> None:
    door.ends(door.ring(), cause)
    door.wait(10)
    assert (door.service.dialled, door.journal.causes, door.feedback.failures) == (1, [cause], [cause])
    assert is_at_rest(door)


def test_a_call_that_the_service_refuses_is_told_and_logged(door: DoorInMemory) -> None:
    door.service.refusal = CallError("there is no such address", cause="UNALLOCATED_NUMBER")
    door.press()
    door.wait(1)
    assert door.journal.unreached_calls == [(HOUSE, "UNALLOCATED_NUMBER")]
    assert door.feedback.failures == ["UNALLOCATED_NUMBER"]
    assert is_at_rest(door)


def test_a_call_is_warned_of_its_limit_and_ends_there(door: DoorInMemory) -> None:
    door.talk()
    door.wait(291)
    assert door.feedback.beeps == 1
    door.wait(10)
    assert door.journal.causes == ["NORMAL_CLEARING"]
    assert is_at_rest(door)


def test_a_call_whose_media_is_lost_is_given_up_and_the_visitor_told(door: DoorInMemory) -> None:
    call = door.talk()
    door.machine.fault(Fault.MEDIA)
    door.ends(call, "MEDIA_TIMEOUT")
    assert (door.journal.ends, door.feedback.failures) == ([(call, "MEDIA_TIMEOUT")], ["MEDIA_TIMEOUT"])
    assert is_at_rest(door)


def test_somebody_calls_and_the_button_answers(door: DoorInMemory) -> None:
    call = door.called_by("sip:aunt@example.org")
    assert door.phase is Phase.RINGING_IN
    door.press()
    door.wait(DESCRIBE_S)
    assert (call.status, door.phase, door.journal.answers) == ("connecting", Phase.ACTIVE, [call])


def test_a_caller_whom_nobody_answers_is_given_up(door: DoorInMemory) -> None:
    door.called_by("sip:aunt@example.org")
    door.wait(61)
    assert door.journal.causes == ["NO_ANSWER"]
    assert door.feedback.failures == []
    assert is_at_rest(door)


def test_a_caller_gives_up(door: DoorInMemory) -> None:
    door.ends(door.called_by("sip:aunt@example.org"), "ORIGINATOR_CANCEL")
    assert is_at_rest(door)


def test_a_listed_caller_is_answered_by_the_door() -> None:
    door = DoorInMemory(auto_answer=("/private/*",), auto_answer_delay_s=1.0)
    call = door.called_by("/private/kitchen")
    door.wait(1 + DESCRIBE_S)
    assert (call.status, door.phase, door.feedback.answered_by_itself) == ("connecting", Phase.ACTIVE, 1)
    door.close()


def test_a_button_that_answers_before_the_door_does_answers_once() -> None:
    door = DoorInMemory(auto_answer=("/private/*",), auto_answer_delay_s=1.0)
    call = door.called_by("/private/kitchen")
    door.wait(1 - DESCRIBE_S / 2)
    door.press()
    door.wait(DESCRIBE_S)
    assert (call.answers, door.feedback.answered_by_itself) == (1, 0)
    door.close()


def test_a_second_caller_hears_that_the_door_is_busy_and_is_not_logged(door: DoorInMemory) -> None:
    first = door.talk()
    second = door.called_by("sip:aunt@example.org")
    door.wait(2 * CLOSING_S)
    assert (second.end_cause, first.over, door.journal.open) == ("USER_BUSY", False, [first])


def test_an_answer_that_breaks_ends_the_call_and_is_reported() -> None:
    door = DoorInMemory()
    call = door.called_by("sip:aunt@example.org")
    call.breaks = "answer"
    door.press()
    assert [str(defect) for defect in door.defects] == ["the answer broke"]
    assert is_at_rest(door)
    door.close()


# -- each moment at which it can be given up -----------------------------------------------------------


def reaching(door: DoorInMemory) -> None:
    """Pressed: the service does not have the call yet."""
    door.press()


def ringing(door: DoorInMemory) -> None:
    """The house rings."""
    door.ring()


def waiting_to_ring_again(door: DoorInMemory) -> None:
    """Nobody was there: the door waits before it dials anew."""
    door.service.somebody_home = False
    door.ring()
    door.wait(DIAL_S)
    assert door.plan.call is None


def reaching_again(door: DoorInMemory) -> None:
    """It dials anew, and the service does not answer."""
    waiting_to_ring_again(door)
    door.service.reachable = False
    door.wait(4)


def called(door: DoorInMemory) -> None:
    """Somebody calls the door."""
    door.called_by("sip:aunt@example.org")


def answering(door: DoorInMemory) -> None:
    """The visitor pressed to answer, and the answer is on its way."""
    door.called_by("sip:aunt@example.org")
    door.press()
    door.wait(DESCRIBE_S / 2)


def connecting(door: DoorInMemory) -> None:
    """The answer is given, and no sound came yet."""
    door.called_by("sip:aunt@example.org")
    door.press()
    door.wait(DESCRIBE_S)


def talking(door: DoorInMemory) -> None:
    """They talk."""
    door.talk()


def talking_with_a_broken_microphone(door: DoorInMemory) -> None:
    """They talk, and something is broken meanwhile."""
    door.talk()
    door.machine.fault(Fault.MICROPHONE)


MOMENTS = (
    reaching,
    ringing,
    waiting_to_ring_again,
    reaching_again,
    called,
    answering,
    connecting,
    talking,
    talking_with_a_broken_microphone,
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_hang_up_ends_the_call_at_every_moment(door: DoorInMemory, moment: object) -> None:
    assert callable(moment)
    moment(door)
    assert door.hang_up() is True
    assert is_at_rest(door)
    assert door.feedback.failures == []
    assert len(door.journal.ends) + len(door.journal.unreached_calls) == 1


@pytest.mark.parametrize("moment", MOMENTS[:5])
def test_holding_the_button_ends_whatever_rings(door: DoorInMemory, moment: object) -> None:
    assert callable(moment)
    moment(door)
    door.hold()
    assert is_at_rest(door)
    assert door.feedback.failures == []
    assert len(door.journal.ends) + len(door.journal.unreached_calls) == 1


@pytest.mark.parametrize("moment", MOMENTS[5:])
def test_holding_the_button_ends_no_call_that_is_talked_in(door: DoorInMemory, moment: object) -> None:
    assert callable(moment)
    moment(door)
    door.hold()
    door.wait(1)
    assert door.phase is Phase.ACTIVE
    assert len(door.journal.open) == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_door_that_stops_ends_the_call_at_every_moment(door: DoorInMemory, moment: object) -> None:
    assert callable(moment)
    moment(door)
    door.loop.run(door.plan.stop())
    door.wait(2 * CLOSING_S)
    assert all(call.over for call in door.calls)
    assert door.journal.open == []
    assert not door.loop.waiting_timers()


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_moment_lasts_for_ever(door: DoorInMemory, moment: object) -> None:
    assert callable(moment)
    moment(door)
    door.machine.fault_cleared(Fault.MICROPHONE)
    door.wait(door.config.ring_time_s + door.config.time_limit_s)
    assert is_at_rest(door)


def test_a_call_whose_media_never_closes_is_over_all_the_same(door: DoorInMemory) -> None:
    call = door.talk()
    call.closes = False
    assert door.hang_up() is True
    assert call.status == "disconnecting"
    assert is_at_rest(door)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_press_rings_at_once_however_the_last_call_was_given_up(door: DoorInMemory, moment: object) -> None:
    assert callable(moment)
    moment(door)
    door.hang_up()
    door.service.reachable = door.service.somebody_home = True
    if door.phase is not Phase.NONE:
        door.wait(2 * CLOSING_S)
    call = door.ring()
    assert (call.over, door.phase) == (False, Phase.RINGING_OUT)
    door.wait(2 * CLOSING_S)
    assert door.journal.open == [call]


@pytest.mark.parametrize("rounds", range(12))
def test_a_press_is_given_up_in_the_very_instant_in_which_the_service_has_its_call(
    door: DoorInMemory, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    dial = door.service.dial

    async def dial_later(address: str) -> Call:
        call = await dial(address)
        try:
            for _ in range(rounds):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            call.ends("ORIGINATOR_CANCEL")
            raise
        return call

    async def press_and_hold() -> None:
        door.plan.press()
        await asyncio.sleep(DIAL_S)
        door.plan.hold()

    monkeypatch.setattr(door.service, "dial", lambda address, **_: dial_later(address))
    door.loop.run(press_and_hold())
    assert is_at_rest(door)
    assert len(door.journal.ends) + len(door.journal.unreached_calls) == 1


def test_a_visitor_who_holds_the_button_in_the_very_turn_of_their_press_rings_nobody(door: DoorInMemory) -> None:
    door.now(lambda: (door.plan.press(), door.plan.hold()))
    door.wait(2 * DIAL_S)
    assert (door.phase, door.service.calls) == (Phase.NONE, [])


def test_a_press_in_the_very_turn_of_a_call_to_the_door_answers_it(door: DoorInMemory) -> None:
    call = Call("inbound", HOUSE)
    door.callers.append(call)
    door.now(lambda: (door.plan.incoming([call]), door.plan.press()))
    door.wait(DESCRIBE_S)
    assert (call.status, door.phase) == ("connecting", Phase.ACTIVE)


def test_there_is_nothing_to_hang_up_at_rest(door: DoorInMemory) -> None:
    assert door.hang_up() is False


def test_the_visitor_sees_that_the_far_end_muted_the_microphone_until_the_call_is_over(door: DoorInMemory) -> None:
    call = door.talk()
    door.now(lambda: call.mutes.set(frozenset({"audio"})))
    assert door.feedback.is_muted
    door.ends(call)
    assert not door.feedback.is_muted


# -- another visitor -----------------------------------------------------------------------------------


def test_a_press_during_a_call_is_told_to_whoever_talks_and_the_call_goes_on(door: DoorInMemory) -> None:
    call = door.talk()
    door.press()
    door.wait(1)
    assert call.told == [{"visitor": "pressed"}]
    assert (door.phase, door.service.dialled) == (Phase.ACTIVE, 1)
    door.ends(call)


def test_a_press_of_another_flat_s_button_during_a_call_names_whom_its_plan_would_ring() -> None:
    buttons = (ButtonConfig(name="House"), ButtonConfig(gpio=5, name="Office", plan="office"))
    plan = (StepConfig(plan="office", ring=("/private/desk",)), StepConfig(plan="office", ring=("/private/boss",)))
    door = DoorInMemory(plan=plan, buttons=buttons)
    door.press("House")
    door.wait(2 * DIAL_S)
    call = door.newest
    door.answers(call)
    door.press("Office")
    door.press("House")
    door.wait(1)
    office = {"visitor": "pressed", "button": "Office", "for": ["/private/desk", "/private/boss"]}
    assert call.told == [office, {"visitor": "pressed"}]
    assert (door.phase, door.service.dialled) == (Phase.ACTIVE, 1)
    door.close()


def test_a_press_while_a_resident_talks_who_called_the_door_names_the_house(door: DoorInMemory) -> None:
    call = door.called_by("/private/anna")
    door.press()
    door.wait(DESCRIBE_S)
    door.press()
    door.wait(1)
    assert call.told == [{"visitor": "pressed", "button": "", "for": [HOUSE]}]
    door.ends(call)


def test_a_press_while_the_house_rings_is_told_to_nobody_but_the_log(door: DoorInMemory) -> None:
    call = door.ring()
    door.press()
    door.wait(1)
    assert call.told == []
    door.ends(call)
