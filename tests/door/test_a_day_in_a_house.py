"""Two hundred visitors in three weeks, at a real machine, real calls and a real space: 6 devices, holidays, a trip."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intercom.config import StepConfig
from intercom.door.machine import Phase
from intercom.facts import Answered, Ended, Pressed, StepBegan, Unreached
from intercom.signalwire import CallError
from tests.door_in_memory import DIAL_S, OVER, Call, DoorInMemory
from tests.space.switchboard import SDP, Switchboard

DEVICES = ("office", "kitchen", "hall", "anna", "ben", "aunt")
WORK = ("mon", "tue", "wed", "thu", "fri")
HOLIDAYS = ("2026-12-08", "12-25")
STEPS = (
    StepConfig(name="office", ring=("/private/office",), ring_time_s=15.0, days=WORK, hours=("08:00-18:00",)),
    StepConfig(name="tablets", ring=("/private/kitchen", "/private/hall"), ring_time_s=20.0, hours=("08:00-22:00",)),
    StepConfig(name="phones", ring=("/private/anna", "/private/ben"), ring_time_s=25.0, refused="device"),
    StepConfig(name="aunt", ring=("/private/aunt",), ring_time_s=15.0, days=("sat", "sun", "holiday")),
)
DEVICES_OF = {step.name: {address.removeprefix("/private/") for address in step.ring} for step in STEPS}
BEGIN = datetime(2026, 12, 7, 6, 0, tzinfo=UTC)
AWAY = (datetime(2026, 12, 12, tzinfo=UTC), datetime(2026, 12, 14, tzinfo=UTC))
"""A week-end on which the family is away: only the aunt's telephone is there."""
VISITORS = 200
ENDS = ("answers", "declines", "gives up", "opens", "outage", "nobody", "nobody")
LONGEST_S = 80


class SpaceCall(Call):
    """The door's call in the space's exchange."""

    def __init__(self, address: str, house: Switchboard) -> None:
        super().__init__("outbound", address)
        self._house = house

    async def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        if not self.over:
            self._house.verto("door", "verto.bye", self.id, cause=cause)
        await super().hangup(cause)

    async def send_info(self, info: dict[str, Any]) -> None:
        self._house.verto("door", "verto.info", self.id, intercom=info)


class House:
    """A door whose service is a space's own exchange, its devices, and the calendar."""

    def __init__(self) -> None:
        self.space = Switchboard("door", *DEVICES)
        self.door = DoorInMemory(plan=STEPS, holidays=HOLIDAYS, now=lambda: self.at)
        self.door.service.dial = self._dial  # type: ignore[method-assign]  # the exchange takes the calls
        self.at = BEGIN
        self.here = set(DEVICES)

    async def _dial(self, address: str, *, user_variables: dict[str, Any], **_: Any) -> Call:
        call = SpaceCall(address, self.space)
        call.user_variables = user_variables
        self.door.service.calls.append(call)
        dialog = {"destination_number": address, "userVariables": user_variables}
        answer = self.space.verto("door", "verto.invite", call.id, sdp=SDP, dialog=dialog) or {}
        if "error" in answer:
            raise CallError("refused", cause="UNALLOCATED_NUMBER")
        call.becomes("trying")
        return call

    def passes(self, seconds: float) -> None:
        """Let time pass everywhere, and the door hear what the space says."""
        self.at += timedelta(seconds=seconds)
        self.space.wait(seconds)
        self.door.now(self._hear)
        self.door.wait(seconds)
        self.door.now(self._hear)

    def _hear(self) -> None:
        heard, self.space.heard["door"] = self.space.heard["door"], []
        for message in heard:
            call_id = message["params"]["callID"]
            call = next(call for call in self.door.service.calls if call.id == call_id)
            if message["method"] == "verto.answer":
                call.answered_address = message["params"].get("callee_number", "")
                call.becomes("connecting")
                call.becomes("connected")
            elif message["method"] == "verto.bye":
                call.ends(message["params"]["cause"])

    def leaps_to(self, when: datetime) -> None:
        """Let the time until the next visitor pass, in which nothing happens."""
        self.at = when
        self.space.wait(60.0)

    def family_is(self, here: set[str]) -> None:
        for who in self.here - here:
            self.space.lose(who, closed=True)
        for who in here - self.here:
            self.space.join(who)
        self.here = here
        self.space.wait(120.0)

    def rung(self) -> set[str]:
        """The devices that ring now."""
        return {leg.session.subscriber.reference for call in self.space.exchange.control.calls for leg in call.ringing}

    def call_of(self, who: str) -> str:
        """The callID of the call that rings at a device."""
        legs = [leg for call in self.space.exchange.control.calls for leg in call.ringing]
        return next(leg.call_id for leg in legs if leg.session.subscriber.reference == who)

    def close(self) -> None:
        self.door.close()


@pytest.fixture
def house() -> Iterator[House]:
    found = House()
    yield found
    found.close()
    assert found.door.defects == []


def steps_due(at: datetime) -> list[str]:
    """The steps of a press of this time, as their owner reads them on the plan."""
    free = at.weekday() >= 5 or at.date().isoformat() in HOLIDAYS or f"{at:%m-%d}" in HOLIDAYS
    by_day = 8 <= at.hour < 22
    names = ["office"] if not free and 8 <= at.hour < 18 else []
    return names + (["tablets"] if by_day else []) + ["phones"] + (["aunt"] if free else [])


class Visit:
    """One visitor, and what becomes of their press."""

    def __init__(self, house: House, chance: random.Random) -> None:
        self.house = house
        self.due = steps_due(house.at)
        self.end = chance.choice(ENDS)
        self.after_s = chance.randint(1, 60)
        self.first_fact = len(house.door.journal.facts)
        self.steps: list[str] = []

    def lasts(self) -> None:
        """Let the visitor ring, the end come, and look every second that all is as it must be."""
        door = self.house.door
        door.press()
        for second in range(LONGEST_S):
            self.house.passes(1.0)
            self.looks()
            if second == self.after_s and door.phase is Phase.RINGING_OUT:
                self.ends()
            if door.phase is not Phase.RINGING_OUT:
                break
        if door.phase is Phase.ACTIVE:
            door.hang_up()
        self.house.passes(1.0)

    def looks(self) -> None:
        living = [call for call in self.house.door.service.calls if call.status not in OVER]
        assert len(living) <= 1, "one ring at a time"
        if rung := self.house.rung():
            (step,) = [name for name in self.due if rung <= DEVICES_OF[name]]
            if self.steps[-1:] != [step]:
                self.steps.append(step)

    def ends(self) -> None:
        door, space = self.house.door, self.house.space
        if self.end == "gives up":
            door.hold()
        elif self.end == "opens":
            door.opened_by("ssh anna")
        elif self.end == "outage":
            door.loses_service()
            self.house.passes(3.0)
            door.has_service_again(resumed=True)
        elif self.end != "nobody" and (rung := sorted(self.house.rung())):
            call = self.house.call_of(rung[0])
            if self.end == "answers":
                space.verto(rung[0], "verto.answer", call, sdp=SDP)
            else:
                space.verto(rung[0], "verto.bye", call, cause="CALL_REJECTED")

    @property
    def facts(self) -> list[Any]:
        return self.house.door.journal.facts[self.first_fact :]

    def is_over(self) -> None:
        """Check that it has one beginning and one end, for the house as well."""
        assert self.house.door.phase is Phase.NONE
        assert self.house.door.plan.kept is None
        assert sum(isinstance(fact, Pressed) for fact in self.facts) == 1
        assert sum(isinstance(fact, Ended | Unreached) for fact in self.facts) == 1
        assert [name for name in self.due if name in self.steps] == self.steps, "each step in its turn, and once"
        went_on = [fact.name for fact in self.facts if isinstance(fact, StepBegan)]
        assert went_on == self.due[1 : len(went_on) + 1], "the log tells of each step"
        rings = self.house.space.exchange.control.bell.rings
        pressed = {call.user_variables["intercom"]["ring"] for call in self.house.door.service.calls}
        assert len(pressed) <= 1, "one ring for the house"
        for ring in pressed:
            found = rings.get(f"door/{ring}")
            assert found is not None and not found.rings
        self.house.door.service.calls.clear()


def visits(chance: random.Random) -> Iterator[datetime]:
    """Return when the visitors come: in three weeks of December."""
    for minute in sorted(chance.sample(range(3 * 7 * 24 * 60 // 5), VISITORS)):
        yield BEGIN + timedelta(minutes=5 * minute)


@pytest.mark.timeout(900)  # three weeks to compute: on a busy machine it is only slow
def test_two_hundred_visitors_in_three_weeks(house: House) -> None:
    chance = random.Random("a house")
    ends: Counter[str] = Counter()
    for when in visits(chance):
        away = AWAY[0] <= when < AWAY[1]
        if (here := {"aunt"} if away else set(DEVICES)) != house.here:
            house.family_is(here)
        house.leaps_to(when)
        visit = Visit(house, chance)
        visit.lasts()
        visit.is_over()
        answered = any(isinstance(fact, Answered) for fact in visit.facts)
        ends["answered" if answered else "away" if away else visit.end] += 1
        if away:
            assert visit.steps == ["aunt"], "who is not there is left at once"
        elif visit.end == "nobody":
            assert visit.steps == visit.due, "everybody was rung, one step after the other"
    assert sum(ends.values()) == VISITORS
    assert min(ends[kind] for kind in ("answered", "away", "gives up", "opens", "nobody")) > 0


def test_who_comes_at_night_rings_no_tablet_and_on_a_holiday_no_office(house: House) -> None:
    assert steps_due(datetime(2026, 12, 7, 23, 0, tzinfo=UTC)) == ["phones"]
    assert steps_due(datetime(2026, 12, 8, 10, 0, tzinfo=UTC)) == ["tablets", "phones", "aunt"]
    for when in (datetime(2026, 12, 7, 23, 0, tzinfo=UTC), datetime(2026, 12, 8, 10, 0, tzinfo=UTC)):
        house.leaps_to(when)
        house.door.press()
        house.passes(2 * DIAL_S)
        assert house.rung() == DEVICES_OF[steps_due(when)[0]]
        house.door.hold()
        house.passes(1.0)
