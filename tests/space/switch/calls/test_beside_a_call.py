"""A screen or another device beside a call: its invite is refused, and the call goes on."""

from __future__ import annotations

import pytest

from intercom.signalwire.wire.messages import INVALID_PARAMS
from tests.space.switchboard import SDP, Switchboard


@pytest.mark.parametrize("what", ["screenShare", "additionalDevice"])
def test_what_goes_beside_a_call_is_refused_so_that_the_reference_keeps_the_call(what: str) -> None:
    """The error is the request's own, as the reference ends the call for one inside the result."""
    house = Switchboard("phone", "door", agents={"phone": "signalwire-js/4.0.0"})
    theirs = house.call("phone", "door")
    dialog = {"callID": "screen", "destination_number": "/private/door", what: True}
    message = {"id": "m", "method": "verto.invite", "params": {"dialogParams": dialog, "sdp": SDP}}
    answer = house.rpc("phone", "webrtc.verto", {"callID": "screen", "message": message})
    assert answer is not None
    assert answer["error"]["code"] == INVALID_PARAMS
    assert "no screen or other device" in answer["error"]["message"]
    house.verto("phone", "verto.bye", "screen")
    assert (house.methods("phone"), house.methods("door")) == ([], [])
    house.verto("phone", "verto.info", "call", dtmf="9")
    assert house.heard["door"][-1]["params"]["callID"] == theirs
