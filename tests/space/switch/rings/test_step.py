"""The steps of a door's plan are one ring of the house: each adds to who is rung, and none ends it before the last."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.space.quiet.house_quiet import Manner
from intercom.space.store.records import Subscriber
from intercom.space.switch.rings.ring import REDIAL_LIMIT_S
from intercom.space.switch.rings.step import ADDRESS_CHARS, ALSO_LIMIT, Step, step_of
from tests.space.switch.rings.test_bell import FAMILY, PAGE, invite, states
from tests.space.switchboard import SDP, Switchboard


@pytest.fixture
def house() -> Switchboard:
    return Switchboard("door", *FAMILY, agents=dict.fromkeys(FAMILY, PAGE))


def rings(house: Switchboard, number: str, call: str = "call", caller: str = "door", **told: Any) -> None:
    """Let the door dial for a step of one press."""
    variables = {"intercom": {"role": "door", "ring": "press-1", **told}}
    dialog = {"destination_number": f"/private/{number}", "userVariables": variables}
    house.verto(caller, "verto.invite", call, sdp=SDP, dialog=dialog)


def is_rung(house: Switchboard, who: str) -> bool:
    legs = [leg for call in house.exchange.control.calls for leg in call.ringing]
    return who in {leg.session.subscriber.reference for leg in legs}


def causes(house: Switchboard) -> list[str]:
    return [bye["params"]["cause"] for bye in house.heard["door"] if bye["method"] == "verto.bye"]


# -- several addresses at once -------------------------------------------------------------------------


def test_several_addresses_ring_at_once_and_the_others_do_not(house: Switchboard) -> None:
    rings(house, "anna", also=["/private/ben"])
    assert [is_rung(house, who) for who in FAMILY] == [True, True, False]


def test_the_door_is_told_at_which_of_the_addresses_somebody_answered(house: Switchboard) -> None:
    rings(house, "anna", also=["/private/ben?channel=audio"])
    house.verto("ben", "verto.answer", invite(house, "ben")["callID"], sdp=SDP)
    (answer,) = [message for message in house.heard["door"] if message["method"] == "verto.answer"]
    assert answer["params"]["callee_number"] == "/private/ben"
    assert not is_rung(house, "anna")


def test_an_address_that_nobody_has_keeps_the_others_from_nothing(house: Switchboard) -> None:
    rings(house, "attic", also=["/private/ben"])
    assert is_rung(house, "ben")


def test_where_nobody_has_any_of_the_addresses_the_door_learns_it(house: Switchboard) -> None:
    rings(house, "attic", also=["/private/cellar"])
    assert "error" in house.answers["door"][-1]["result"]["result"]


def test_nobody_but_a_door_rings_several_addresses(house: Switchboard) -> None:
    rings(house, "ben", caller="anna", also=["/private/cleo"])
    assert [is_rung(house, who) for who in ("ben", "cleo")] == [True, False]


# -- one ring for all steps ----------------------------------------------------------------------------


def test_the_next_step_rings_others_for_the_same_ring_and_those_before_are_told_how_it_ended(
    house: Switchboard,
) -> None:
    rings(house, "anna", goes_on=True)
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    rings(house, "ben", call="next")
    assert [is_rung(house, who) for who in FAMILY] == [False, True, False]
    house.verto("ben", "verto.answer", invite(house, "ben")["callID"], sdp=SDP)
    assert states(house, "anna")[-1] == ("answered", "ben")
    assert "missed" not in [state for state, _ in states(house, "anna")]


def test_a_ring_whose_next_step_never_comes_is_missed(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    house.wait(1)
    house.wait(REDIAL_LIMIT_S + 1)
    assert states(house, "anna")[-1] == ("missed", "")


def elsewhere(house: Switchboard, who: str) -> bool:
    """Whether somebody was told last that the ring goes on at others."""
    return [bool(told["elsewhere"]) for event, told in house.told[who] if event == "intercom.ring"][-1]


def test_whoever_was_rung_learns_at_once_that_others_are_rung_now(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    assert not elsewhere(house, "anna")
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    assert elsewhere(house, "anna")
    rings(house, "ben", call="next")
    assert (elsewhere(house, "anna"), elsewhere(house, "ben")) == (True, False)
    house.verto("door", "verto.bye", "next", cause="NO_ANSWER")
    assert (elsewhere(house, "anna"), states(house, "anna")[-1]) == (False, ("missed", ""))


def test_a_device_of_an_earlier_step_that_is_rung_again_is_told_so(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    rings(house, "house", call="next")
    assert not elsewhere(house, "anna")


def test_a_page_that_connects_meanwhile_learns_that_others_are_rung(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    rings(house, "ben", call="next")
    house.told["anna"].clear()
    house.lose("anna")
    house.join("anna", agent=PAGE)
    (listed,) = [told["rings"] for event, told in house.told["anna"] if event == "intercom.rings"]
    assert [ring["elsewhere"] for ring in listed] == [True]


# -- an answer in the instant in which a step ends -----------------------------------------------------


def answers(house: Switchboard, who: str, call_id: str) -> bool:
    """Answer; return whether the space connects it."""
    return "error" not in (house.verto(who, "verto.answer", call_id, sdp=SDP) or {})


def test_an_answer_that_comes_as_its_step_ends_is_rung_with_the_next_and_connects(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    first = invite(house, "anna")["callID"]
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    assert not answers(house, "anna", first)
    rings(house, "ben", call="next")
    assert [is_rung(house, who) for who in FAMILY] == [True, True, False]
    assert answers(house, "anna", invite(house, "anna")["callID"])
    (answer,) = [message for message in house.heard["door"] if message["method"] == "verto.answer"]
    assert answer["params"]["callee_number"] == "/private/anna"
    assert states(house, "ben")[-1] == ("answered", "anna")


def test_an_answer_that_comes_when_the_next_step_rings_already_is_rung_with_it(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    first = invite(house, "anna")["callID"]
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    rings(house, "ben", call="next")
    assert not answers(house, "anna", first)
    assert [is_rung(house, who) for who in FAMILY] == [True, True, False]
    assert answers(house, "anna", invite(house, "anna")["callID"])


def test_an_answer_that_the_door_hears_when_it_has_ended_its_step_is_not_the_ring_s_end(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    assert answers(house, "anna", invite(house, "anna")["callID"])
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    assert (states(house, "anna")[-1], elsewhere(house, "anna")) == (("ringing", ""), True)
    rings(house, "ben", call="next")
    assert [is_rung(house, who) for who in FAMILY] == [True, True, False]


def test_an_answer_that_the_door_hears_when_it_has_ended_its_last_step_is_missed(house: Switchboard) -> None:
    rings(house, "anna")
    assert answers(house, "anna", invite(house, "anna")["callID"])
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    assert states(house, "anna")[-1] == ("missed", "")


def test_somebody_who_was_quicker_is_not_disturbed_by_a_late_answer(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    first = invite(house, "anna")["callID"]
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    rings(house, "ben", call="next")
    assert answers(house, "ben", invite(house, "ben")["callID"])
    assert not answers(house, "anna", first)
    assert not is_rung(house, "anna")
    assert states(house, "anna")[-1] == ("answered", "ben")


def test_nobody_joins_the_next_step_by_a_call_that_was_not_theirs(house: Switchboard) -> None:
    rings(house, "anna", goes_on=True)
    first = invite(house, "anna")["callID"]
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    assert not answers(house, "cleo", first)
    rings(house, "ben", call="next")
    assert [is_rung(house, who) for who in FAMILY] == [False, True, False]


def test_the_last_step_ends_the_ring_as_missed(house: Switchboard) -> None:
    rings(house, "anna")
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    assert states(house, "anna")[-1] == ("missed", "")


def test_whoever_is_quiet_at_one_step_stays_so_while_the_next_rings_others(house: Switchboard) -> None:
    quiet = {"anna": Manner.SILENTLY, "ben": Manner.NOT_AT_ALL}
    house.exchange.control.bell.manner = lambda who, _caller, _button: quiet.get(who, Manner.ALOUD)
    rings(house, "anna", also=["/private/ben"], goes_on=True)
    house.verto("door", "verto.bye", "call", cause="NO_ANSWER")
    rings(house, "cleo", call="next")
    (ring,) = house.exchange.control.bell.rings.news("cleo")
    assert (ring.silent, ring.spared, ring.rung) == ({"anna"}, {"ben"}, set(FAMILY))


def test_a_step_of_which_all_want_to_be_left_alone_is_left_at_once(house: Switchboard) -> None:
    house.exchange.control.bell.manner = lambda who, _caller, _button: Manner.NOT_AT_ALL
    rings(house, "anna", goes_on=True)
    assert causes(house) == ["NO_USER_RESPONSE"]


# -- declining -----------------------------------------------------------------------------------------


def test_whoever_declines_for_their_device_alone_lets_the_others_ring(house: Switchboard) -> None:
    rings(house, "anna", also=["/private/ben"], refused="device")
    house.verto("anna", "verto.bye", invite(house, "anna")["callID"], cause="CALL_REJECTED")
    assert [is_rung(house, who) for who in FAMILY] == [False, True, False]
    assert states(house, "ben")[-1] == ("ringing", "")


def test_a_device_at_which_somebody_declined_is_not_rung_at_the_next_step(house: Switchboard) -> None:
    rings(house, "anna", refused="device", goes_on=True)
    house.verto("anna", "verto.bye", invite(house, "anna")["callID"], cause="CALL_REJECTED")
    assert causes(house) == ["CALL_REJECTED"]
    rings(house, "house", call="next", refused="device")
    assert [is_rung(house, who) for who in FAMILY] == [False, True, True]


def test_a_device_at_which_somebody_declined_is_not_rung_as_it_connects_again(house: Switchboard) -> None:
    rings(house, "anna", also=["/private/ben"], refused="device")
    house.verto("anna", "verto.bye", invite(house, "anna")["callID"], cause="CALL_REJECTED")
    house.lose("anna")
    house.join("anna", agent=PAGE)
    assert not is_rung(house, "anna")


def test_when_all_have_declined_for_their_devices_the_door_learns_it(house: Switchboard) -> None:
    rings(house, "anna", also=["/private/ben"], refused="device")
    for who in ("anna", "ben"):
        house.verto(who, "verto.bye", invite(house, who)["callID"], cause="CALL_REJECTED")
    assert causes(house) == ["CALL_REJECTED"]
    assert states(house, "cleo") == []


def test_whoever_declines_for_everybody_ends_the_ring_and_no_step_rings_for_it(house: Switchboard) -> None:
    rings(house, "anna", also=["/private/ben"], goes_on=True)
    house.verto("anna", "verto.bye", invite(house, "anna")["callID"], cause="CALL_REJECTED")
    assert states(house, "ben")[-1] == ("refused", "anna")
    rings(house, "cleo", call="next")
    assert not is_rung(house, "cleo")
    assert causes(house) == ["CALL_REJECTED", "LOSE_RACE"]


# -- what comes from outside ---------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(("ring", "also", "refused", "goes_on", "for_s")), ANYTHING))
def test_whatever_a_door_says_of_its_step_is_bounded(told: dict[str, Any]) -> None:
    step = step_of(Subscriber("1", "door", "Door", "door"), {"intercom": told})
    assert len(step.also) <= ALSO_LIMIT
    assert all(len(address) <= ADDRESS_CHARS for address in step.also)


def test_a_resident_s_call_belongs_to_no_step() -> None:
    told = {"intercom": {"ring": "press-1", "also": ["/private/ben"], "goes_on": True}}
    assert step_of(Subscriber("1", "anna", "Anna", "resident"), told) == Step()
