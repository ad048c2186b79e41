"""A caller whom nobody answers is told why, as what it is."""

from __future__ import annotations

import itertools

import pytest

from intercom.space.switch.calls.unanswered import cause_for_caller
from tests.space.switchboard import SDP, Switchboard


@pytest.fixture
def house() -> Switchboard:
    house = Switchboard("aunt", "kitchen", "hall")
    house.verto("aunt", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/house"})
    return house


def stops(house: Switchboard, who: str, cause: str) -> None:
    house.verto(who, "verto.bye", house.heard[who][0]["params"]["callID"], cause=cause)


def told(house: Switchboard) -> list[tuple[str, int]]:
    return [(bye["params"]["cause"], bye["params"]["causeCode"]) for bye in house.heard["aunt"]]


@pytest.mark.parametrize(
    ("cause", "caller_hears"),
    [
        ("NORMAL_CLEARING", ("CALL_REJECTED", 21)),
        ("CALL_REJECTED", ("CALL_REJECTED", 21)),
        ("USER_BUSY", ("USER_BUSY", 17)),
        ("NO_ANSWER", ("NO_ANSWER", 19)),
        ("INCOMPATIBLE_DESTINATION", ("INCOMPATIBLE_DESTINATION", 88)),
    ],
)
def test_the_caller_hears_why_the_last_end_stopped_ringing(
    house: Switchboard, cause: str, caller_hears: tuple[str, int]
) -> None:
    stops(house, "kitchen", cause)
    assert told(house) == []
    stops(house, "hall", cause)
    assert told(house) == [caller_hears]


def test_a_device_that_goes_away_does_not_turn_a_declined_call_into_nobody_there(house: Switchboard) -> None:
    stops(house, "kitchen", "CALL_REJECTED")
    house.lose("hall")
    house.wait(60.0)
    assert told(house) == [("CALL_REJECTED", 21)]


def test_the_order_in_which_ends_stop_ringing_does_not_matter() -> None:
    causes = ("USER_NOT_REGISTERED", "INCOMPATIBLE_DESTINATION", "NO_ANSWER", "USER_BUSY", "CALL_REJECTED")
    for count, best in enumerate(causes, start=1):
        assert {cause_for_caller(order) for order in itertools.permutations(causes[:count])} == {best}
