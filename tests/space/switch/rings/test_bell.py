"""What every page of the house is told of a ring: the same, at once, and who took it."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.space.quiet.house_quiet import Manner
from intercom.space.switch.calls.calls import RING_GRACE_S, RING_S
from intercom.space.switch.rings.ring import REDIAL_LIMIT_S
from intercom.space.switch.sessions.sessions import LEFT_LIMIT_S
from tests.space.switchboard import SDP, Switchboard

PAGE = "intercom-station/0.1 rings/1"
REFERENCE = "signalwire-js/4.0.0"
FAMILY = ("anna", "ben", "cleo")


@pytest.fixture
def house() -> Switchboard:
    """A door and three pages."""
    return Switchboard("door", *FAMILY, agents=dict.fromkeys(FAMILY, PAGE))


def press(house: Switchboard, ring: str = "press-1", call: str = "call") -> None:
    """Let the door dial for a press."""
    variables = {"intercom": {"role": "door", "ring": ring}}
    dialog = {"destination_number": "/private/house", "userVariables": variables}
    house.verto("door", "verto.invite", call, sdp=SDP, dialog=dialog)


def invite(house: Switchboard, who: str) -> dict[str, Any]:
    """The last invite that somebody heard."""
    invites = [message for message in house.heard[who] if message["method"] == "verto.invite"]
    params: dict[str, Any] = invites[-1]["params"]
    return params


def states(house: Switchboard, who: str) -> list[tuple[str, str]]:
    """The states of the ring that a page was told, and who took it."""
    return [(told["state"], told["by"]) for event, told in house.told[who] if event == "intercom.ring"]


def is_silent(house: Switchboard, who: str) -> bool:
    """Whether each invite that somebody heard is ended."""
    return house.methods(who).count("verto.invite") == house.methods(who).count("verto.bye")


def test_every_page_is_told_that_the_door_rings_and_its_invite_names_the_ring(house: Switchboard) -> None:
    press(house)
    for who in FAMILY:
        assert states(house, who) == [("ringing", "")]
        ((_, told),) = [one for one in house.told[who] if one[0] == "intercom.ring"]
        assert told["door"] == {"name": "door", "address": "/private/door"}
        assert invite(house, who)["ring"] == told["ring"]


def test_a_call_that_ends_before_the_house_heard_of_its_answer_was_answered_all_the_same(house: Switchboard) -> None:
    press(house)
    theirs = invite(house, "ben")["callID"]
    for method, params in (("verto.answer", {"sdp": SDP}), ("verto.bye", {})):
        house.exchange.received("ben", house.verto_frame(method, theirs, **params), house.now)
    house.settle()
    assert house.methods("door") == ["verto.answer", "verto.bye"]
    assert states(house, "anna") == [("ringing", ""), ("answered", "ben"), ("answered", "ben")]
    assert is_silent(house, "anna")


def test_every_page_is_silent_and_knows_who_answered(house: Switchboard) -> None:
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    for who in FAMILY:
        assert states(house, who)[-1] == ("answered", "anna")
    assert is_silent(house, "ben")
    assert is_silent(house, "cleo")


def test_a_page_knows_who_took_the_ring_before_its_call_ends(house: Switchboard) -> None:
    heard: list[str] = []
    says = house.says

    def listen(who: str, frame: dict[str, Any]) -> None:
        if who == "ben" and frame.get("method") == "signalwire.event":
            about = frame["params"]["params"]
            heard.append(about.get("state") or about.get("method", ""))
        says(who, frame)

    house.says = listen  # type: ignore[method-assign]  # it only listens
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    assert heard == ["ringing", "verto.invite", "answered", "verto.bye"]


def test_a_person_who_refuses_refuses_for_the_house(house: Switchboard) -> None:
    press(house)
    house.verto("ben", "verto.bye", invite(house, "ben")["callID"], cause="CALL_REJECTED", causeCode=21)
    assert house.heard["door"][-1]["params"]["cause"] == "CALL_REJECTED"
    for who in FAMILY:
        assert states(house, who)[-1] == ("refused", "ben")
    assert is_silent(house, "anna")
    assert is_silent(house, "cleo")


def test_a_device_that_is_busy_stops_ringing_alone(house: Switchboard) -> None:
    press(house)
    house.verto("ben", "verto.bye", invite(house, "ben")["callID"], cause="USER_BUSY", causeCode=17)
    assert states(house, "anna") == [("ringing", "")]
    assert not is_silent(house, "anna")


def test_the_visitor_gives_up(house: Switchboard) -> None:
    press(house)
    house.verto("door", "verto.bye", "call", cause="ORIGINATOR_CANCEL")
    for who in FAMILY:
        assert states(house, who)[-1] == ("given_up", "")
        assert is_silent(house, who)


@pytest.mark.parametrize("by_the_door", [True, False])
def test_nobody_answers(house: Switchboard, by_the_door: bool) -> None:
    press(house)
    if by_the_door:
        house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    else:
        house.wait(RING_S + RING_GRACE_S)
    for who in FAMILY:
        assert states(house, who)[-1] == ("missed", "")
        assert is_silent(house, who)


def test_a_door_that_was_opened_otherwise_ends_its_ring(house: Switchboard) -> None:
    press(house)
    house.verto("door", "verto.info", "call", intercom={"door": "open", "by": "Anna's key"})
    for who in FAMILY:
        assert states(house, who)[-1] == ("opened", "Anna's key")
        assert house.methods(who) == ["verto.invite", "verto.bye"]
    assert house.heard["door"][-1]["params"]["cause"] == "PICKED_OFF"


def test_an_opening_in_the_call_is_told_to_every_page(house: Switchboard) -> None:
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    house.verto("door", "verto.info", "call", intercom={"door": "open", "by": "/private/anna"})
    assert {house.told[who][-1][1]["opened_by"] for who in FAMILY} == {"anna"}
    assert states(house, "ben")[-1] == ("answered", "anna")
    assert house.heard["anna"][-1]["params"]["intercom"]["door"] == "open"


def test_nobody_but_a_door_says_that_the_door_was_opened(house: Switchboard) -> None:
    press(house)
    house.verto("anna", "verto.info", invite(house, "anna")["callID"], intercom={"door": "open", "by": "me"})
    assert states(house, "ben") == [("ringing", "")]


def test_the_end_of_the_talk_is_told_to_every_page(house: Switchboard) -> None:
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    assert house.told["ben"][-1][1]["talking"] is True
    house.verto("door", "verto.bye", "call")
    assert house.told["ben"][-1][1]["talking"] is False


def test_a_door_that_redials_for_its_press_goes_on_with_the_same_ring(house: Switchboard) -> None:
    press(house)
    for who in FAMILY:
        house.lose(who, left=True)
    house.wait(LEFT_LIMIT_S)
    press(house, call="second")
    house.join("anna", agent=PAGE)
    (news,) = [told for event, told in house.told["anna"] if event == "intercom.rings"][-1:]
    assert [(ring["ring"], ring["state"]) for ring in news["rings"]] == [("door/press-1", "ringing")]
    assert ("missed", "") not in states(house, "anna")


def test_a_late_redial_for_a_ring_that_was_taken_rings_nobody(house: Switchboard) -> None:
    press(house)
    house.verto("ben", "verto.bye", invite(house, "ben")["callID"], cause="CALL_REJECTED", causeCode=21)
    house.forget()
    press(house, call="second")
    assert [house.methods(who) for who in FAMILY] == [[], [], []]
    assert house.heard["door"][-1]["params"]["cause"] == "LOSE_RACE"


def test_a_door_whose_process_died_leaves_no_bell_ringing(house: Switchboard) -> None:
    press(house)
    house.lose("door", closed=True)
    house.wait(LEFT_LIMIT_S)
    for who in FAMILY:
        assert states(house, who)[-1] == ("lost", "")
        assert is_silent(house, who)


def test_a_door_that_resumes_its_session_in_a_new_process_ends_the_call_that_it_does_not_know(
    house: Switchboard,
) -> None:
    press(house)
    house.lose("door", closed=True)
    house.wait(1)
    house.join("door", protocol=house.protocols["door"], authorization_state=house.protocols["door"])
    assert house.heard["door"][-1]["method"] == "verto.attach"
    house.verto("door", "verto.bye", "call", cause="NORMAL_TEMPORARY_FAILURE")
    assert all(is_silent(house, who) for who in FAMILY)
    assert states(house, "anna") == [("ringing", "")]
    press(house, call="again")
    assert invite(house, "anna")["ring"] == "door/press-1"
    house.verto("door", "verto.bye", "again", cause="NORMAL_TEMPORARY_FAILURE")
    for _ in range(int(REDIAL_LIMIT_S) + 2):
        house.wait(1)
    assert states(house, "anna")[-1] == ("missed", "")


def test_a_door_that_rings_again_before_its_old_call_is_over_rings_each_page_once(house: Switchboard) -> None:
    press(house)
    press(house, call="again")
    assert house.methods("anna") == ["verto.invite", "verto.bye", "verto.invite"]
    house.wait(REDIAL_LIMIT_S + 2)
    house.wait(1)
    assert states(house, "anna") == [("ringing", "")]
    assert len(house.exchange.control.calls) == 1


def test_a_page_that_comes_later_gets_the_present_state_and_the_last_end(house: Switchboard) -> None:
    press(house)
    house.lose("cleo", left=True)
    house.wait(LEFT_LIMIT_S)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    house.told["cleo"].clear()
    house.join("cleo", agent=PAGE)
    ((event, told),) = house.told["cleo"]
    assert event == "intercom.rings"
    assert [(ring["state"], ring["by"], ring["talking"]) for ring in told["rings"]] == [("answered", "anna", True)]


def test_the_reference_client_hears_nothing_of_it() -> None:
    house = Switchboard("door", "anna", "tablet", agents={"anna": PAGE, "tablet": REFERENCE})
    press(house)
    assert "ring" not in invite(house, "tablet")
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    assert [event for event, _ in house.told["tablet"]] == []
    assert house.methods("tablet") == ["verto.invite", "verto.bye"]


def test_a_call_between_residents_is_no_ring_of_the_house(house: Switchboard) -> None:
    house.call("anna", "ben")
    assert states(house, "ben") == []


def test_two_doors_ring_each_on_its_own() -> None:
    house = Switchboard("door", "anna", "door-2", agents={"anna": PAGE})
    press(house)
    variables = {"intercom": {"ring": "press-1"}}
    dialog = {"destination_number": "/private/anna", "userVariables": variables}
    house.verto("door-2", "verto.invite", "other", sdp=SDP, dialog=dialog)
    house.verto("door", "verto.bye", "call", cause="ORIGINATOR_CANCEL")
    assert states(house, "anna") == [("ringing", ""), ("ringing", ""), ("given_up", "")]


def test_every_page_is_told_of_another_visitor_during_the_call_and_whoever_talks_by_the_call(
    house: Switchboard,
) -> None:
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    house.forget()
    for _ in range(2):
        house.verto("door", "verto.info", "call", intercom={"visitor": "pressed"})
    assert house.methods("anna") == ["verto.info", "verto.info"]
    for who in FAMILY:
        presses = [told["pressed_at"] for event, told in house.told[who] if event == "intercom.ring"]
        assert presses == [None, None, 0.0]


def test_a_press_of_another_flat_s_button_during_a_call_is_missed_by_that_flat_alone(house: Switchboard) -> None:
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    before = len(house.told["anna"])
    pressed = {"visitor": "pressed", "button": "Office", "for": ["/private/ben", "/private/cleo", "/private/nobody", 5]}
    for _ in range(2):
        house.verto("door", "verto.info", "call", intercom=pressed)
    for who in ("ben", "cleo"):
        rings = [told for event, told in house.told[who] if event == "intercom.ring" and told["button"] == "Office"]
        assert [told["state"] for told in rings] == ["ringing", "missed"]
    assert len(house.told["anna"]) == before
    assert house.heard["anna"][-1]["params"]["intercom"]["visitor"] == "pressed"


def test_a_visitor_is_missed_by_the_house_while_a_resident_talks_who_called_the_door(house: Switchboard) -> None:
    known_as = house.call("anna", "door")
    pressed = {"visitor": "pressed", "button": "", "for": ["/private/house"]}
    house.verto("door", "verto.info", known_as, intercom=pressed)
    for who in FAMILY:
        assert states(house, who) == [("ringing", ""), ("missed", "")]


def test_devices_that_want_to_be_left_alone_are_so_while_another_visitor_is_missed(house: Switchboard) -> None:
    quiet = {"ben": Manner.NOT_AT_ALL}
    house.exchange.control.bell.manner = lambda who, _caller, _button: quiet.get(who, Manner.ALOUD)
    press(house)
    house.verto("anna", "verto.answer", invite(house, "anna")["callID"], sdp=SDP)
    pressed = {"visitor": "pressed", "button": "Office", "for": ["/private/ben"]}
    house.verto("door", "verto.info", "call", intercom=pressed)
    missed = house.exchange.control.bell.rings.news("ben")[-1]
    assert (missed.spared, missed.button) == ({"ben"}, "Office")


def test_nobody_but_the_door_says_that_another_visitor_is_there(house: Switchboard) -> None:
    press(house)
    mine = invite(house, "anna")["callID"]
    house.verto("anna", "verto.answer", mine, sdp=SDP)
    house.verto("anna", "verto.info", mine, intercom={"visitor": "pressed"})
    house.verto("anna", "verto.info", mine, intercom={"visitor": "pressed", "for": ["/private/ben"]})
    assert {told["pressed_at"] for event, told in house.told["ben"] if event == "intercom.ring"} == {None}
