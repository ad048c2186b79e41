"""One frame keeps newcomers out: values nested as deep as a decoder takes, and deeper than an encoder gives back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from intercom.signalwire.errors import BadFrameError
from intercom.signalwire.wire.jsonrpc import MAX_DEPTH, encode, parse, request
from tests.space.switchboard import SDP, Switchboard


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"x": value}
    return value


@pytest.mark.parametrize("depth", [100, 960, 965, 970, 1000, 20_000])
def test_a_call_with_nested_variables_disturbs_nobody(depth: int) -> None:
    board = Switchboard("thief", "anna")
    text = '{"x":' * depth + "{}" + "}" * depth
    frame = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": "1",
            "method": "webrtc.verto",
            "params": {
                "message": {
                    "jsonrpc": "2.0",
                    "id": "m",
                    "method": "verto.invite",
                    "params": {
                        "sdp": SDP,
                        "dialogParams": {
                            "callID": "c",
                            "destination_number": "/private/anna",
                            "userVariables": "NESTED",
                        },
                    },
                }
            },
        }
    ).replace('"NESTED"', text)
    board.exchange.received("thief", frame, board.now)
    board.settle()
    board.exchange.disconnected("anna", board.now)
    board.join("anna")
    assert board.exchange.online() == ["anna", "thief"]
    assert board.heard["anna"] == []


def test_a_frame_as_deep_as_is_taken_can_be_sent_on() -> None:
    text = encode(request("webrtc.verto", nested(MAX_DEPTH - 2)))
    assert encode(parse(text)) == text  # type: ignore[arg-type]  # a request comes back as one


@pytest.mark.parametrize("shape", ['{"x":', "["])
def test_a_deeper_frame_is_skipped(shape: str) -> None:
    close = "}" if shape == '{"x":' else "]"
    core = shape * (MAX_DEPTH + 1) + "1" + close * (MAX_DEPTH + 1)
    with pytest.raises(BadFrameError, match="nested deeper"):
        parse(f'{{"jsonrpc":"2.0","id":"1","method":"m","params":{{"x":{core}}}}}')
