"""Who is told of a door's alarms, and whom the space believes."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.space.switch.exchange import Exchange
from tests.space.switch.test_views import GateOfKinds
from tests.space.switchboard import House, Switchboard

PAGE = "intercom-station/0.1 rings/1"
PEOPLE = ("door", "door-2", "kitchen", "hall")


@pytest.fixture
def board() -> Switchboard:
    exchange = Exchange(GateOfKinds(PEOPLE), House(PEOPLE), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0)
    return Switchboard(*PEOPLE, exchange=exchange, agents={"kitchen": PAGE, "door": "door", "door-2": "door"})


def says(board: Switchboard, who: str, *alarms: Any) -> dict[str, Any]:
    """Let somebody say which alarms last; return the answer."""
    answer = board.rpc(who, "intercom.alarms", {"alarms": list(alarms)})
    assert answer is not None
    return answer


def shown(board: Switchboard, who: str) -> dict[str, list[str]]:
    """Return what somebody was told last: the alarms of each door."""
    told = [params for event, params in board.told[who] if event == "intercom.alarms"]
    return {door["address"]: door["alarms"] for door in told[-1]["doors"]} if told else {}


def test_a_page_is_told_of_the_alarms_of_every_door(board: Switchboard) -> None:
    assert "result" in says(board, "door", "tamper", "door_forced")
    assert "result" in says(board, "door-2", "door_held_open")
    assert shown(board, "kitchen") == {
        "/private/door": ["door_forced", "tamper"],
        "/private/door-2": ["door_held_open"],
    }


def test_an_alarm_that_is_over_is_told_too(board: Switchboard) -> None:
    says(board, "door", "tamper")
    says(board, "door")
    assert shown(board, "kitchen") == {}
    assert [params for event, params in board.told["kitchen"] if event == "intercom.alarms"][-1] == {"doors": []}


def test_a_page_that_comes_later_is_told_as_it_registers(board: Switchboard) -> None:
    says(board, "door", "tamper")
    board.told["kitchen"].clear()
    board.rpc("kitchen", "subscriber.online", {})
    assert shown(board, "kitchen") == {"/private/door": ["tamper"]}


def test_a_page_that_was_away_as_an_alarm_ended_is_told_that_it_is_over(board: Switchboard) -> None:
    says(board, "door", "tamper")
    board.lose("kitchen")
    says(board, "door")
    board.told["kitchen"].clear()
    session = board.protocols["kitchen"]
    board.connect("kitchen", "kitchen", protocol=session, authorization_state=session)
    board.rpc("kitchen", "subscriber.online", {})
    assert [params for event, params in board.told["kitchen"] if event == "intercom.alarms"] == [{"doors": []}]


def test_a_page_that_registers_while_all_is_well_is_told_nothing(board: Switchboard) -> None:
    assert [event for event, _ in board.told["kitchen"] if event == "intercom.alarms"] == []


def test_the_same_said_again_is_told_once(board: Switchboard) -> None:
    says(board, "door", "tamper")
    before = len(board.told["kitchen"])
    says(board, "door", "tamper")
    assert len(board.told["kitchen"]) == before


def test_a_client_that_does_not_show_the_house_s_rings_is_told_nothing(board: Switchboard) -> None:
    says(board, "door", "tamper")
    assert shown(board, "hall") == {}
    assert shown(board, "door-2") == {}


@pytest.mark.parametrize("alarms", [["fire"], ["tamper"] * 5, [1], ["tamper" * 10_000]])
def test_what_is_no_alarm_is_refused(board: Switchboard, alarms: list[Any]) -> None:
    assert "error" in says(board, "door", *alarms)
    assert shown(board, "kitchen") == {}


def test_a_page_raises_no_alarm(board: Switchboard) -> None:
    assert "error" in says(board, "hall", "tamper")
    assert shown(board, "kitchen") == {}


def test_a_door_that_is_away_keeps_its_alarms_and_one_that_was_removed_does_not(board: Switchboard) -> None:
    says(board, "door", "tamper")
    says(board, "door-2", "door_held_open")
    for door in ("door", "door-2"):
        board.lose(door)
    board.wait(86_400.0)
    board.join("parlour", token="kitchen", agent=PAGE)
    assert shown(board, "parlour") == {"/private/door": ["tamper"], "/private/door-2": ["door_held_open"]}
    for door, left in (("door", {"/private/door-2": ["door_held_open"]}), ("door-2", {})):
        board.exchange.control.alarms.forget(door)
        board.settle()
        assert shown(board, "parlour") == left
