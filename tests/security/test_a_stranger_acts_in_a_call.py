"""Somebody who is no member of a call, or a member without the right, runs its methods: nothing happens in the call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire.wire.agents import agent_of
from intercom.space.switch.members.methods import CHANGES, SENSITIVITY_LIMIT, VOLUME_LIMIT
from intercom.space.switch.members.state import MemberState
from tests.space.switchboard import SDP, Switchboard

METHODS: dict[str, dict[str, Any]] = {
    "call.mute": {"channels": ["audio"]},
    "call.unmute": {"channels": ["audio"]},
    "call.deaf": {},
    "call.microphone.volume.set": {"volume": 50},
    "call.speaker.volume.set": {"volume": 50},
    "call.lock": {},
    "call.layout.set": {"layout": "full-screen"},
    "call.member.remove": {},
    "call.end": {},
}


def board_in_a_call() -> tuple[Switchboard, list[dict[str, str]]]:
    """Two talk; a stranger is in the same space, and knows every id of theirs."""
    agents = dict.fromkeys(("phone", "door", "stranger"), agent_of("intercom/1", mutable=True))
    board = Switchboard("phone", "door", "stranger", "friend", agents=agents)
    theirs = board.call("phone", "door")
    members = [dict(board.told[who])["call.joined"]["member_id"] for who in ("phone", "door")]
    ids = [
        {"node_id": "", "call_id": call_id, "member_id": member_id}
        for call_id, member_id in zip(("call", theirs), members, strict=True)
    ]
    board.told = {who: [] for who in board.told}
    return board, ids


@pytest.mark.parametrize("method", METHODS)
def test_a_stranger_who_knows_every_id_changes_nothing(method: str) -> None:
    board, (phone, door) = board_in_a_call()
    answer = board.rpc("stranger", method, {"self": phone, "target": door, "targets": [door], **METHODS[method]})
    assert answer is not None
    assert answer["result"]["code"] == "404"
    assert board.told["phone"] == board.told["door"] == board.heard["phone"] == board.heard["door"] == []


@pytest.mark.parametrize("method", METHODS)
def test_a_member_of_another_call_does_not_reach_into_this_one(method: str) -> None:
    board, (_, door) = board_in_a_call()
    board.call("stranger", "friend", "another")
    mine = {"node_id": "", "call_id": "another", "member_id": door["member_id"]}
    board.told = {who: [] for who in board.told}
    answer = board.rpc("stranger", method, {"self": mine, "targets": [door], **METHODS[method]})
    assert answer is not None
    assert board.told["phone"] == board.told["door"] == board.heard["phone"] == board.heard["door"] == []


@pytest.mark.parametrize("method", METHODS)
def test_a_call_that_still_rings_has_no_members_to_act_on(method: str) -> None:
    board = Switchboard("phone", "door")
    board.verto("phone", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/door"})
    ringing = board.heard["door"][-1]["params"]["callID"]
    for who, call_id in (("phone", "call"), ("door", ringing)):
        answer = board.rpc(who, method, {"self": {"call_id": call_id}, **METHODS[method]})
        assert answer is not None
        assert answer["result"]["code"] == "404"
    assert board.methods("phone") == []


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"self": None},
        {"self": []},
        {"self": {"call_id": ["call"]}},
        {"self": {"call_id": "call"}, "target": 1},
        {"self": {"call_id": "call"}, "targets": "door"},
        {"self": {"call_id": "call"}, "targets": []},
        {"self": {"call_id": "call"}, "targets": [{"member_id": {}}] * 9},
        {"self": {"call_id": "call"}, "targets": [{"member_id": ["x"]}]},
    ],
)
@pytest.mark.parametrize("method", [*METHODS, "call.member.position.set"])
def test_a_malformed_request_is_answered_with_a_code(method: str, params: dict[str, Any]) -> None:
    board, _ = board_in_a_call()
    answer = board.rpc("phone", method, {**METHODS.get(method, {}), **params})
    assert answer is not None
    assert "code" in answer["result"]
    assert board.answers["phone"]


EVERY_METHOD = [
    *CHANGES,
    *METHODS.keys() - CHANGES.keys(),
    "call.layout.list",
    "call.unlock",
    "call.member.position.set",
]
FIELDS = [
    "self",
    "target",
    "targets",
    "channels",
    "volume",
    "sensitivity",
    "layout",
    "position",
    "lowbitrate",
    "echo_cancellation",
    "auto_gain",
    "noise_suppression",
    "member_id",
    "call_id",
]
IDS = ("phone", "door", "stranger", "friend")
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from([*IDS, "call", "another", "audio", "full-screen", "reserved-1", 10**30, -51, 50.5, "9" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=9)
        | st.dictionaries(st.sampled_from(["target", "member_id", "call_id", "position", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
ME = st.just({"node_id": "", "call_id": "call", "member_id": "phone"})


def with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """Return the value with each name of a member replaced by their id."""
    if isinstance(value, dict):
        return {key: with_ids(inner, ids) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_ids(inner, ids) for inner in value]
    return ids.get(value, value) if isinstance(value, str) else value


def two_calls() -> tuple[Switchboard, dict[str, str]]:
    """Two calls at once, of the phone with the door and of the stranger with their friend; and each member's id."""
    board, (phone, door) = board_in_a_call()
    board.call("stranger", "friend", "another")
    ids = {who: dict(board.told[who])["call.joined"]["member_id"] for who in ("stranger", "friend")}
    board.told = {who: [] for who in board.told}
    return board, {"phone": phone["member_id"], "door": door["member_id"], **ids}


def can_be(state: MemberState) -> bool:
    """Whether what is told about a member is of the right kinds, and within its limits."""
    msgspec.convert(msgspec.to_builtins(state), MemberState, strict=True)
    volumes = (state.input_volume, state.output_volume)
    return all(abs(volume) <= VOLUME_LIMIT for volume in volumes) and 0 <= state.input_sensitivity <= SENSITIVITY_LIMIT


@given(
    method=st.sampled_from(EVERY_METHOD),
    me=ME | ANYTHING,
    params=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5),
)
def test_whatever_a_member_sends_is_answered_by_a_code_and_leaves_every_other_call_alone(
    method: str, me: Any, params: dict[str, Any]
) -> None:
    board, ids = two_calls()
    answer = board.rpc("phone", method, with_ids({"self": me, **params}, ids))
    assert answer is not None
    code = answer["result"]["code"]
    assert code in {"200", "400", "403", "404"}
    for who in ("stranger", "friend"):
        assert board.told[who] == board.heard[who] == []
    if code != "200":
        assert board.told["phone"] == board.told["door"] == board.heard["phone"] == board.heard["door"] == []
        board.verto("phone", "verto.info", "call", dtmf="9")
        assert board.methods("door") == ["verto.info"]
    assert all(can_be(leg.membership.state) for call in board.exchange.control.calls for leg in call.legs())


@given(sessid=st.just("call") | ANYTHING, wanted=ANYTHING)
def test_whatever_a_member_subscribes_to_is_answered(sessid: Any, wanted: Any) -> None:
    board, ids = two_calls()
    params = with_ids({"sessid": sessid, "eventChannel": wanted}, ids)
    message = {"id": "m", "method": "verto.subscribe", "params": params}
    answer = board.rpc("phone", "webrtc.verto", {"message": message})
    assert answer is not None
    assert len(json.dumps(answer)) < 8192
    assert all(board.told[who] == board.heard[who] == [] for who in IDS)


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_parameters_nested_deeper_than_a_frame_may_be_cost_nothing_but_the_frame(method: str) -> None:
    board, _ = two_calls()
    deep = '{"target":' * 20_000 + "{}" + "}" * 20_000
    frame = json.dumps({"jsonrpc": "2.0", "id": "deep", "method": method, "params": {"self": {"call_id": "call"}}})
    board.exchange.received("phone", frame.replace('{"call_id": "call"}', deep), board.now)
    board.settle()
    assert "error" in board.answers["phone"][-1]
    assert board.closed == {}
    assert all(board.told[who] == board.heard[who] == [] for who in IDS)
    assert board.rpc("phone", "call.raisehand", {"self": {"call_id": "call"}}) is not None
