"""Somebody who is no member of a call, or a member without the right, runs its methods: nothing happens in the call."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.signalwire.wire.agents import agent_of
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
