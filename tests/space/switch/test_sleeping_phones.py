"""A call rings on while pushes may still wake somebody; without that it ends as it did."""

from __future__ import annotations

import pytest

from intercom.space.switch.calls.calls import RING_GRACE_S, RING_S
from intercom.space.switch.sessions.sessions import LOST_LIMIT_S
from tests.space.switchboard import SDP, Switchboard


@pytest.fixture
def asleep() -> set[str]:
    """Who may be woken by push."""
    return {"hall"}


@pytest.fixture
def house(asleep: set[str]) -> Switchboard:
    """A door and two devices, all there."""
    house = Switchboard("door", "kitchen", "hall")
    house.exchange.control.wakes = lambda _: frozenset(asleep)
    return house


def press(house: Switchboard) -> None:
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/house"})


def told(house: Switchboard) -> list[str]:
    """The causes with which the door's call ended."""
    return [bye["params"]["cause"] for bye in house.heard["door"] if bye["method"] == "verto.bye"]


def test_a_door_rings_though_nobody_is_there_and_the_phone_that_wakes_answers(house: Switchboard) -> None:
    house.lose("kitchen")
    house.lose("hall")
    press(house)
    house.wait(30)
    assert told(house) == []
    assert "ringing" in [params.get("call_state") for _, params in house.told["door"]]
    house.join("hall")
    (invite,) = house.heard["hall"]
    house.verto("hall", "verto.answer", invite["params"]["callID"], sdp=SDP)
    assert house.methods("door") == ["verto.answer"]


def test_nobody_who_may_be_woken_is_left_and_the_door_is_told_within_a_second(
    house: Switchboard, asleep: set[str]
) -> None:
    house.lose("kitchen")
    house.lose("hall")
    press(house)
    asleep.clear()
    house.wait(1)
    assert told(house) == ["USER_NOT_REGISTERED"]
    assert len(house.exchange.control.calls) == 0


def test_the_only_page_that_rings_is_left_and_the_phone_that_sleeps_rings_on(house: Switchboard) -> None:
    house.lose("hall")
    press(house)
    house.lose("kitchen", left=True)
    house.wait(LOST_LIMIT_S)
    assert told(house) == []


def test_the_only_page_that_rings_is_busy_and_the_phone_that_sleeps_rings_on(house: Switchboard) -> None:
    house.lose("hall")
    press(house)
    house.verto("kitchen", "verto.bye", house.heard["kitchen"][0]["params"]["callID"], cause="USER_BUSY")
    house.wait(1)
    assert told(house) == []


def test_a_phone_that_was_woken_and_does_not_take_the_call_is_not_waited_for(house: Switchboard) -> None:
    press(house)
    for who in ("kitchen", "hall"):
        house.verto(who, "verto.bye", house.heard[who][0]["params"]["callID"], cause="USER_BUSY")
    assert told(house) == ["USER_BUSY"]


def test_a_call_that_rings_for_sleepers_ends_at_the_limit_like_any_other(house: Switchboard) -> None:
    house.lose("kitchen")
    house.lose("hall")
    press(house)
    house.wait(RING_S + RING_GRACE_S)
    assert told(house) == ["NO_ANSWER"]


def test_a_call_to_somebody_else_does_not_ring_on_for_the_house(house: Switchboard) -> None:
    house.lose("kitchen")
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/kitchen"})
    assert told(house) == ["USER_NOT_REGISTERED"]


def test_the_visitor_gives_up_while_everybody_sleeps(house: Switchboard) -> None:
    house.lose("kitchen")
    house.lose("hall")
    press(house)
    house.verto("door", "verto.bye", "call")
    assert len(house.exchange.control.calls) == 0
