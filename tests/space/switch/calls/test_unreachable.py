"""Invites to addresses that no call can reach are refused before there is a call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.switch.calls.unreachable import unreachable
from tests.space.switchboard import SDP, Switchboard


def refusal_of(house: Switchboard, destination: str) -> dict[str, Any]:
    answer = house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": destination})
    assert answer is not None
    error: dict[str, Any] = answer["error"]
    return error


@pytest.mark.parametrize(
    ("destination", "cause", "code", "words"),
    [
        ("/private/castle", "UNALLOCATED_NUMBER", 1, "Nobody in this space has the address /private/castle"),
        ("/public/castle?channel=video", "UNALLOCATED_NUMBER", 1, "/public/castle;"),
        ("", "UNALLOCATED_NUMBER", 1, "Nobody"),
        ("+15551234567", "NO_ROUTE_DESTINATION", 3, "no line to +15551234567"),
        ("sip:anna@example.com", "NO_ROUTE_DESTINATION", 3, "no line to sip:anna@example.com"),
        ("+1555-123-4567", "INVALID_NUMBER_FORMAT", 28, "no telephone number"),
        ("0171 1234567", "INVALID_NUMBER_FORMAT", 28, "no telephone number"),
        ("sip:anna", "INVALID_NUMBER_FORMAT", 28, "no SIP address"),
    ],
)
def test_an_invite_to_nobody_is_refused_with_its_reason(destination: str, cause: str, code: int, words: str) -> None:
    house = Switchboard("door", "kitchen")
    error = refusal_of(house, destination)
    assert (error["code"], error["data"]) == (code, {"cause": cause, "causeCode": code})
    assert words in error["message"]


def test_no_call_is_left_of_a_refused_invite(house_of_two: Switchboard) -> None:
    refusal_of(house_of_two, "/private/castle")
    assert len(house_of_two.exchange.control.calls) == 0
    assert (house_of_two.methods("door"), house_of_two.methods("kitchen")) == ([], [])
    assert house_of_two.call("door", "kitchen")


@pytest.fixture
def house_of_two() -> Switchboard:
    return Switchboard("door", "kitchen")


@given(st.text(max_size=300))
def test_whatever_is_dialled_the_refusal_is_one_line_that_a_client_can_read(number: str) -> None:
    refusal = unreachable(number)
    assert str(refusal).isprintable()
    assert len(str(refusal)) < 400
    assert json.dumps({"code": refusal.code, "message": str(refusal)})
