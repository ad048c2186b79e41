"""What the passing of time does to links, sessions and calls; no clock, no socket."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.space.switch.call_control import ATTACH_AFTER_S, CALLS_PER_SUBSCRIBER_LIMIT
from intercom.space.switch.calls.calls import PING_INTERVAL_S, RING_GRACE_S, RING_LIMIT_S, RING_S
from intercom.space.switch.calls.renegotiation import MODIFY_LIMIT_S
from intercom.space.switch.exchange import ATTEMPTS_LIMIT, AUTHENTICATION_LIMIT_S, SESSIONS_PER_SUBSCRIBER_LIMIT
from intercom.space.switch.replies import SESSIONS_EXCEEDED
from intercom.space.switch.sessions.sessions import LEFT_LIMIT_S, LOST_LIMIT_S, TALKING_LOST_LIMIT_S
from tests.space.switchboard import SDP, Switchboard


def test_a_link_that_never_authenticates_is_closed() -> None:
    house = Switchboard("door")
    house.exchange.connected("stranger", house.now)
    house.wait(AUTHENTICATION_LIMIT_S)
    assert list(house.closed) == ["stranger"]


def test_a_call_ends_when_a_socket_is_gone_for_a_minute() -> None:
    house = Switchboard("door", "kitchen")
    house.call("door", "kitchen")
    house.lose("door")
    house.wait(TALKING_LOST_LIMIT_S - 0.1)
    assert "verto.bye" not in house.methods("kitchen")
    house.wait(0.1)
    assert house.heard["kitchen"][-1]["params"]["cause"] == "NORMAL_TEMPORARY_FAILURE"


def test_a_call_ends_well_when_its_page_was_left_and_is_not_back_in_time() -> None:
    house = Switchboard("door", "kitchen")
    house.call("door", "kitchen")
    house.lose("kitchen", left=True)
    house.wait(LEFT_LIMIT_S - 0.1)
    assert "verto.bye" not in house.methods("door")
    house.wait(0.1)
    assert house.heard["door"][-1]["params"]["cause"] == "NORMAL_CLEARING"


def test_a_caller_that_vanishes_stops_the_ringing() -> None:
    house = Switchboard("door", "kitchen")
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/kitchen"})
    house.lose("door")
    house.wait(LOST_LIMIT_S)
    assert house.methods("kitchen") == ["verto.invite", "verto.bye"]


def test_the_only_phone_that_rings_vanishes_and_the_caller_is_told() -> None:
    house = Switchboard("door", "kitchen")
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/kitchen"})
    house.lose("kitchen")
    house.wait(LOST_LIMIT_S)
    assert house.heard["door"][-1]["params"]["cause"] == "USER_NOT_REGISTERED"


def test_a_client_whose_session_is_gone_learns_that_from_its_new_channel() -> None:
    house = Switchboard("door", "kitchen")
    before = house.protocols["door"]
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/kitchen"})
    house.lose("door")
    house.wait(LOST_LIMIT_S)
    house.join("door", protocol=before, authorization_state=before)
    assert house.protocols["door"] != before
    assert not len(house.exchange.control.calls)


def test_a_client_that_is_back_in_time_keeps_its_channel_and_its_ringing_call() -> None:
    house = Switchboard("door", "kitchen")
    before = house.protocols["door"]
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/kitchen"})
    house.lose("door")
    house.wait(LOST_LIMIT_S - 0.1)
    house.join("door", protocol=before, authorization_state=before)
    assert house.protocols["door"] == before
    assert len(house.exchange.control.calls) == 1


def test_who_comes_online_while_a_member_of_the_group_rings_rings_as_well() -> None:
    house = Switchboard("door", "kitchen", "hall")
    house.lose("hall")
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/house"})
    house.wait(30)
    house.join("hall")
    assert house.methods("hall") == ["verto.invite"]


@pytest.mark.parametrize(
    ("caller", "told", "rings_for_s"),
    [
        ("hall", {}, RING_S),
        ("hall", {"intercom": {"for_s": 600}}, RING_S),
        ("door", {}, RING_S),
        ("door", {"intercom": {"for_s": 20}}, 20.0),
        ("door", {"intercom": {"for_s": 600}}, 600.0),
        ("door", {"intercom": {"for_s": RING_LIMIT_S + 1}}, RING_S),
    ],
)
def test_a_caller_who_never_gives_up_is_told_that_nobody_answered(
    caller: str, told: dict[str, Any], rings_for_s: float
) -> None:
    """A resident's call rings for a minute, and a door's for as long as it says."""
    house = Switchboard("door", "kitchen", "hall")
    dialog = {"destination_number": "/private/kitchen", "userVariables": told}
    house.verto(caller, "verto.invite", "call", sdp=SDP, dialog=dialog)
    house.wait(rings_for_s + RING_GRACE_S - 0.1)
    assert house.methods(caller) == []
    house.wait(0.1)
    assert [(bye["params"]["cause"], bye["params"]["causeCode"]) for bye in house.heard[caller]] == [("NO_ANSWER", 19)]
    assert house.methods("kitchen") == ["verto.invite", "verto.bye"]
    assert len(house.exchange.control.calls) == 0


def test_both_ends_of_a_call_are_pinged() -> None:
    house = Switchboard("door", "kitchen")
    theirs = house.call("door", "kitchen")
    house.wait(PING_INTERVAL_S)
    (ping,) = house.heard["kitchen"]
    assert ping["params"] == {"callID": theirs, "dialogParams": {"callID": theirs}}
    assert house.verto("kitchen", "verto.pong", theirs) is not None
    assert house.methods("door") == ["verto.ping"]


def test_a_new_offer_that_the_far_end_ignores_fails_and_the_call_goes_on() -> None:
    house = Switchboard("door", "kitchen")
    theirs = house.call("door", "kitchen")
    assert house.verto("door", "verto.modify", "call", action="updateMedia", sdp=SDP) is None
    house.wait(MODIFY_LIMIT_S)
    assert "in time" in house.answers["door"][-1]["result"]["result"]["error"]["message"]
    house.verto("kitchen", "verto.info", theirs, dtmf="9")
    assert house.methods("door") == ["verto.info"]


@pytest.mark.parametrize("who", ["door", "kitchen"])
def test_a_call_ends_soon_when_the_program_of_one_end_ended(who: str) -> None:
    house = Switchboard("door", "kitchen")
    house.call("door", "kitchen")
    house.lose(who, closed=True)
    house.wait(LEFT_LIMIT_S - 0.1)
    far = "kitchen" if who == "door" else "door"
    assert house.methods(far) == []
    house.wait(0.1)
    assert "verto.bye" in house.methods(far)


def test_a_call_outlives_a_proxy_that_closes_the_sockets_of_both_ends() -> None:
    house = Switchboard("door", "kitchen")
    house.call("door", "kitchen")
    for who in ("door", "kitchen"):
        house.lose(who, closed=True)
    house.wait(TALKING_LOST_LIMIT_S - 0.1)
    for who in ("door", "kitchen"):
        house.join(who, protocol=house.protocols[who], authorization_state=house.protocols[who])
    assert len(house.exchange.control.calls) == 1


@pytest.mark.parametrize(("closed", "after_s", "ends"), [(True, 11.0, True), (True, 9.0, False), (False, 50.0, False)])
def test_a_call_without_sound_to_a_reference_client_that_went_is_over(closed: bool, after_s: float, ends: bool) -> None:
    house = Switchboard("door", "kitchen", agents={"kitchen": "signalwire-js/4.0.0"})
    house.call("door", "kitchen")
    house.lose("kitchen", closed=closed)
    house.wait(after_s)
    house.forget()
    house.verto("door", "verto.modify", "call", action="updateMedia", sdp=SDP)
    assert house.methods("door") == (["verto.bye"] if ends else [])
    if ends:
        assert house.heard["door"][0]["params"]["cause"] == "MEDIA_TIMEOUT"
        assert house.answers["door"][-1]["result"]["result"]["error"]["message"] == "CALL DOES NOT EXIST"


def test_a_client_that_comes_back_is_there_again() -> None:
    house = Switchboard("door", "kitchen")
    house.call("door", "kitchen")
    house.lose("kitchen", closed=True)
    house.wait(LEFT_LIMIT_S - 0.1)
    house.join("kitchen", protocol=house.protocols["kitchen"], authorization_state=house.protocols["kitchen"])
    house.wait(9.0)
    house.forget()
    house.verto("door", "verto.modify", "call", action="updateMedia", sdp=SDP)
    assert house.methods("kitchen") == ["verto.modify"]


def test_a_new_offer_to_the_reference_client_fails_at_once() -> None:
    house = Switchboard("door", "tablet")
    house.lose("tablet")
    house.join("tablet", agent="signalwire-js/4.0.0")
    house.call("door", "tablet")
    refused = house.verto("door", "verto.modify", "call", action="updateMedia", sdp=SDP)
    assert refused is not None
    assert "cannot take a new offer" in refused["error"]["message"]


def test_a_call_is_transferred_by_telling_the_far_end_where_to_dial() -> None:
    house = Switchboard("door", "kitchen", "hall")
    theirs = house.call("door", "kitchen")
    done = house.verto("kitchen", "verto.modify", theirs, action="transfer", destination="/private/hall")
    assert done is not None
    assert done["result"]["action"] == "transfer"
    modify, bye = house.heard["door"]
    assert (modify["params"]["action"], modify["params"]["destination"]) == ("transfer", "/private/hall")
    assert bye["method"] == "verto.bye"
    assert house.methods("kitchen") == ["verto.bye"]


def test_a_transfer_to_nobody_is_refused_and_the_call_goes_on() -> None:
    house = Switchboard("door", "kitchen")
    theirs = house.call("door", "kitchen")
    refused = house.verto("kitchen", "verto.modify", theirs, action="transfer", destination="/private/castle")
    assert refused is not None
    assert "Nobody" in refused["error"]["message"]
    assert house.methods("door") == []


def test_one_session_cannot_call_without_end() -> None:
    callees = [f"kitchen {number}" for number in range(CALLS_PER_SUBSCRIBER_LIMIT + 1)]
    house = Switchboard("door", *callees)
    for callee in callees:
        dialog = {"destination_number": f"/private/{callee}"}
        answer = house.verto("door", "verto.invite", f"call to {callee}", sdp=SDP, dialog=dialog)
    assert answer is not None
    assert answer["error"]["message"] == "There are too many calls"


def test_one_subscriber_cannot_open_sessions_without_end() -> None:
    house = Switchboard("door")
    for number in range(SESSIONS_PER_SUBSCRIBER_LIMIT):
        house.exchange.connected(f"page-{number}", house.now)
        house.answers[f"page-{number}"] = []
        house.rpc(f"page-{number}", "signalwire.connect", {"authentication": {"jwt_token": "door"}})
    last = house.answers[f"page-{SESSIONS_PER_SUBSCRIBER_LIMIT - 1}"]
    assert last[-1]["error"]["code"] == SESSIONS_EXCEEDED


def test_a_client_whose_sessions_are_too_many_for_now_is_let_in_when_one_is_gone() -> None:
    house = Switchboard("door")
    for number in range(1, SESSIONS_PER_SUBSCRIBER_LIMIT):
        assert "result" in house.connect(f"page-{number}", "door")
    for _ in range(2 * ATTEMPTS_LIMIT):
        assert house.connect("late", "door")["error"]["code"] == SESSIONS_EXCEEDED
    house.lose("page-1")
    house.wait(LOST_LIMIT_S)
    assert "result" in house.connect("late", "door")


def test_a_removed_subscriber_is_thrown_out() -> None:
    house = Switchboard("door", "kitchen")
    house.call("door", "kitchen")
    house.exchange.expel("kitchen")
    house.settle()
    assert list(house.closed) == ["kitchen"]
    assert house.methods("door") == ["verto.bye"]


def test_an_event_that_died_with_a_socket_comes_again_until_it_is_acknowledged() -> None:
    house = Switchboard("door", "kitchen")
    theirs = house.call("door", "kitchen")
    house.acknowledges = False  # the network is dead, and nobody knows yet
    house.verto("door", "verto.bye", "call")
    house.forget()
    for heard in (["verto.bye"], []):
        house.lose("kitchen")
        house.acknowledges = True
        house.join("kitchen", protocol=house.protocols["kitchen"], authorization_state=house.protocols["kitchen"])
        assert house.methods("kitchen") == heard
        assert all(message["params"]["callID"] == theirs for message in house.heard["kitchen"])
        house.forget()


def reattach(house: Switchboard, who: str, call_id: str, sdp: str) -> dict[str, Any] | None:
    return house.verto(who, "verto.invite", call_id, sdp=sdp, dialog={"reattaching": True, "attach": True})


def offered(house: Switchboard, who: str) -> list[str]:
    return [m["params"]["sdp"] for m in house.heard[who] if m["method"] == "verto.modify"]


def test_who_reattaches_twice_gets_the_answer_to_its_last_offer() -> None:
    house = Switchboard("door", "kitchen")
    theirs = house.call("door", "kitchen")
    for sdp in (f"{SDP}first", f"{SDP}second"):
        answer = reattach(house, "kitchen", theirs, sdp)
        assert answer is not None
        assert answer["result"]["message"] == "CALL CREATED"
    assert offered(house, "door") == [f"{SDP}first"]
    house.verto("door", "verto.answer", "call", sdp=f"{SDP}to the first")
    assert house.methods("kitchen") == []
    assert offered(house, "door") == [f"{SDP}first", f"{SDP}second"]
    house.verto("door", "verto.answer", "call", sdp=f"{SDP}to the second")
    assert [message["params"]["sdp"] for message in house.heard["kitchen"]] == [f"{SDP}to the second"]


def come_back(house: Switchboard, who: str) -> None:
    house.lose(who)
    house.join(who, protocol=house.protocols[who], authorization_state=house.protocols[who])


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_reference_client_that_comes_back_is_told_of_its_call_unless_it_takes_it_by_itself(by_itself: bool) -> None:
    house = Switchboard("door", "tablet")
    house.lose("tablet")
    house.join("tablet", agent="signalwire-js/4.0.0")
    theirs = house.call("door", "tablet")
    come_back(house, "tablet")
    assert house.methods("tablet") == []
    if by_itself:
        reattach(house, "tablet", theirs, f"{SDP}again")
    house.wait(ATTACH_AFTER_S)
    assert house.methods("tablet") == ([] if by_itself else ["verto.attach"])


def test_who_reattaches_goes_before_an_offer_that_its_last_self_was_to_answer() -> None:
    house = Switchboard("door", "kitchen")
    theirs = house.call("door", "kitchen")
    assert house.verto("door", "verto.modify", "call", action="updateMedia", sdp=f"{SDP}mending") is None
    reattach(house, "kitchen", theirs, f"{SDP}back")
    refused = house.answers["door"][-1]["result"]["result"]
    assert "begins anew" in refused["error"]["message"]
    assert offered(house, "door") == [f"{SDP}back"]
