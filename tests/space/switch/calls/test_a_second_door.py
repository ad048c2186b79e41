"""Who rings at a page that talks: a door, where the page shows it beside the call, and nobody else."""

from __future__ import annotations

import pytest

from tests.space.switchboard import SDP, Switchboard

PAGE = "intercom-station/0.1 rings/1 silent/1 beside/1"


def house(agent: str) -> Switchboard:
    """Two doors and Anna's page, which talks with the first of them; Ben is there."""
    board = Switchboard("door", "anna", "door-2", "ben", agents={"anna": agent})
    board.call("door", "anna")
    return board


def ring(board: Switchboard, who: str) -> str:
    """Ring Anna; return her callID, or "" if she is not rung."""
    board.verto(who, "verto.invite", f"of-{who}", sdp=SDP, dialog={"destination_number": "/private/anna"})
    invites = [message for message in board.heard["anna"] if message["method"] == "verto.invite"]
    return invites[-1]["params"]["callID"] if invites else ""


def causes(board: Switchboard, who: str) -> list[str]:
    return [bye["params"]["cause"] for bye in board.heard[who] if bye["method"] == "verto.bye"]


def test_a_second_door_rings_beside_the_call_and_is_declined_without_touching_it() -> None:
    board = house(PAGE)
    board.verto("anna", "verto.bye", ring(board, "door-2"), cause="CALL_REJECTED", causeCode=21)
    assert (causes(board, "door-2"), causes(board, "door")) == (["CALL_REJECTED"], [])


def test_a_second_door_is_answered_once_the_first_call_is_over() -> None:
    board = house(PAGE)
    theirs = ring(board, "door-2")
    (talking,) = [call for call in board.exchange.control.calls if call.answered is not None]
    assert talking.answered is not None
    board.verto("anna", "verto.bye", talking.answered.call_id, cause="NORMAL_CLEARING", causeCode=16)
    board.verto("anna", "verto.answer", theirs, sdp=SDP)
    assert causes(board, "door") == ["NORMAL_CLEARING"]
    assert board.methods("door-2") == ["verto.answer"]


@pytest.mark.parametrize(("agent", "who"), [("intercom-station/0.1 rings/1", "door-2"), (PAGE, "ben")])
def test_an_older_page_and_a_page_that_another_phone_calls_are_busy(agent: str, who: str) -> None:
    board = house(agent)
    assert ring(board, who) == ""
    assert causes(board, who) == ["USER_BUSY"]


def test_as_many_doors_ring_beside_a_call_as_there_is_room_for_and_the_others_hear_that_it_is_busy() -> None:
    board = Switchboard("door", "anna", *(f"door-{number}" for number in range(2, 6)), agents={"anna": PAGE})
    board.call("door", "anna")
    rung = [bool(ring(board, f"door-{number}") and not causes(board, f"door-{number}")) for number in range(2, 6)]
    assert rung == [True, True, False, False]
    assert causes(board, "door-5") == ["USER_BUSY"]
