"""Whatever happens, in whatever order: one call at a time, and an end for each that began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from intercom.config import ButtonConfig, StepConfig
from intercom.door.machine import Decision, Fault, Phase
from intercom.facts import StepBegan
from intercom.signalwire import CallError
from tests.door_in_memory import HOUSE, OVER, Call, DoorInMemory

LISTED, UNLISTED = "/private/kitchen", "sip:aunt@example.org"
MOMENTS_S = (0.0, 0.02, 0.05, 0.3, 1.0, 4.0, 20.0, 61.0, 301.0)
CAUSES = ("NORMAL_CLEARING", "USER_BUSY", "USER_NOT_REGISTERED", "NORMAL_TEMPORARY_FAILURE", "MEDIA_TIMEOUT")
RUNG = ("/private/tablet", "/private/phone")
BUTTONS = ButtonConfig(name="house"), ButtonConfig(name="office", plan="office")
OFFICE = StepConfig(plan="office", ring=RUNG[1:], ring_time_s=20.0)
PLANS = (
    (),
    (OFFICE,),
    (StepConfig(ring=RUNG, ring_time_s=20.0, refused="device"), StepConfig(notify=("mail",)), OFFICE, StepConfig()),
    (StepConfig(ring=RUNG[:1], ring_time_s=20.0), StepConfig(ring=RUNG[1:], ring_time_s=30.0, notify=("mail",))),
    (StepConfig(notify=("mail",)), OFFICE),
    (StepConfig(ring=RUNG, days=("holiday",)),),
)
TOUCHES = ("press", "hold", "hang_up", "ring", "call", "answer", "end", "register")

pytestmark = pytest.mark.timeout(900)  # a hundred and fifty lives to compute: on a busy machine it is only slow


class AnyLife(RuleBasedStateMachine):
    """A door, its visitor, its house, its service and its clock."""

    @initialize(plan=st.sampled_from(PLANS), empty=st.sets(st.sampled_from(RUNG)))
    def begins(self, plan: tuple[StepConfig, ...], empty: set[str]) -> None:
        self.door = DoorInMemory(auto_answer=(LISTED,), auto_answer_delay_s=0.3, plan=plan, buttons=BUTTONS)
        self.door.service.empty = empty
        self.tickets = 0
        self.door.machine.on_decision = self.decided

    def decided(self, decision: Decision) -> None:
        taken = decision.trigger in ("press", "incoming") and decision.phase in (Phase.RINGING_OUT, Phase.RINGING_IN)
        self.tickets += decision.allowed and taken

    # -- people ----------------------------------------------------------------------------------------

    @rule(button=st.sampled_from(BUTTONS))
    def somebody_presses(self, button: ButtonConfig) -> None:
        self.door.press(button.name)

    @rule()
    def somebody_holds_the_button(self) -> None:
        self.door.hold()

    @rule()
    def somebody_hangs_up_by_command(self) -> None:
        had = self.door.phase is not Phase.NONE
        assert self.door.hang_up() or not had
        assert self.door.phase is Phase.NONE or self.door.loop.run(self.ends_soon())

    async def ends_soon(self) -> bool:
        await asyncio.sleep(1.0)
        return self.door.phase is Phase.NONE

    @rule(who=st.sampled_from((LISTED, UNLISTED)), breaks=st.booleans())
    def somebody_calls(self, who: str, breaks: bool) -> None:
        self.door.called_by(who).breaks = "answer" if breaks and who == UNLISTED else ""

    @rule()
    def the_house_answers(self) -> None:
        for call in self.ringing():
            self.door.answers(call)

    @rule(cause=st.sampled_from(CAUSES))
    def the_far_end_ends_it(self, cause: str) -> None:
        for call in self.living():
            self.door.ends(call, cause)

    @rule(touches=st.lists(st.sampled_from(TOUCHES), min_size=2, max_size=4))
    def much_happens_in_one_instant(self, touches: list[str]) -> None:
        async def all_at_once() -> None:
            await asyncio.gather(*(self.touch(name) for name in touches))

        self.door.loop.run(all_at_once())

    async def touch(self, name: str) -> None:
        plan = self.door.plan
        works: dict[str, Callable[[], object]] = {
            "press": plan.press,
            "hold": plan.hold,
            "hang_up": plan.hang_up,
            "ring": lambda: plan.ring("/private/kitchen"),
            "register": plan.registered,
            "call": self.calls_in,
            "answer": self.answers_now,
            "end": self.ends_now,
        }
        working = works[name]()
        if asyncio.iscoroutine(working):
            await working

    def calls_in(self) -> None:
        call = Call("inbound", UNLISTED)
        self.door.callers.append(call)
        self.door.plan.incoming([call for call in self.door.callers if not call.over])

    def answers_now(self) -> None:
        for call in self.ringing():
            call.becomes("connecting")

    def ends_now(self) -> None:
        for call in self.living():
            call.ends()

    # -- what breaks -----------------------------------------------------------------------------------

    @rule(home=st.booleans())
    def the_house_comes_or_goes(self, home: bool) -> None:
        self.door.service.somebody_home = home

    @rule()
    def the_service_is_lost(self) -> None:
        self.door.loses_service()

    @rule(resumed=st.booleans())
    def the_service_is_back(self, resumed: bool) -> None:
        self.door.has_service_again(resumed=resumed)

    @rule(cause=st.sampled_from(("", "USER_BUSY", "NORMAL_TEMPORARY_FAILURE", "UNALLOCATED_NUMBER")))
    def the_service_refuses(self, cause: str) -> None:
        self.door.service.refusal = CallError("refused", cause=cause) if cause else None

    @precondition(lambda self: self.door.phase is Phase.ACTIVE)
    @rule()
    def the_sound_is_lost_for_good(self) -> None:
        self.door.machine.fault(Fault.MEDIA)
        for call in self.living():
            self.door.ends(call, "MEDIA_TIMEOUT")

    @rule(broken=st.booleans())
    def the_microphone_breaks_or_is_mended(self, broken: bool) -> None:
        machine = self.door.machine
        (machine.fault if broken else machine.fault_cleared)(Fault.MICROPHONE)

    @rule(seconds=st.sampled_from(MOMENTS_S))
    def time_passes(self, seconds: float) -> None:
        self.door.wait(seconds)

    # -- what holds ------------------------------------------------------------------------------------

    def living(self) -> list[Call]:
        return [call for call in self.door.calls if call.status not in OVER]

    def ringing(self) -> list[Call]:
        return [call for call in self.living() if call.direction == "outbound" and call.status == "trying"]

    @invariant()
    def there_is_one_call_at_most(self) -> None:
        living = self.living()
        assert len(living) <= 1
        assert not living or self.door.phase is not Phase.NONE
        assert not living or living[0] in self.door.journal.open

    @invariant()
    def nothing_goes_astray(self) -> None:
        assert [str(defect) for defect in self.door.defects if str(defect) != "the answer broke"] == []
        assert self.door.loop.unhandled == []

    def teardown(self) -> None:
        door = self.door
        door.wait(door.config.ring_time_s + door.config.time_limit_s + 1)
        assert door.phase is Phase.NONE
        assert door.machine.call is None
        assert door.plan.call is None
        assert self.living() == []
        assert door.journal.open == []
        assert not door.feedback.is_trying
        assert len(door.journal.ends) <= self.tickets <= len(door.journal.ends) + len(door.journal.unreached_calls)
        assert {address for address, _ in door.journal.unreached_calls} <= {"", HOUSE, LISTED, *RUNG, ", ".join(RUNG)}
        steps = [fact.step for fact in door.journal.facts if isinstance(fact, StepBegan)]
        assert all(1 < step <= 3 for step in steps)
        assert door.loop.waiting_timers() == []
        assert not asyncio.all_tasks(door.loop)
        door.close()


AnyLife.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_any_life = AnyLife.TestCase
