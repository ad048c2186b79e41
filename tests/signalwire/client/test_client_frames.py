"""The whole client under fire: whatever the service says, it stays connected and says what was wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.signalwire import SignalWire
from intercom.signalwire.wire import messages as m
from tests.signalwire.frames import EXAMPLES, FRAMES_PER_EXAMPLE, anything, rubbish, verto_messages
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service, Tokens

ROOM_EVENTS = ["call.joined", "member.joined", "member.updated", "member.left", "layout.changed", "room.updated"]
room_params = st.dictionaries(
    st.sampled_from(["call_id", "member_id", "room_session_id", "room_session", "member", "layout", "capabilities"]),
    st.one_of(
        anything,
        st.sampled_from(["a", "b"]),
        st.builds(lambda value: {"members": [value], "layers": [value], "member_id": "a"}, anything),
    ),
    max_size=4,
)
told = st.one_of(
    st.tuples(st.just("webrtc.message"), verto_messages()),
    st.tuples(st.sampled_from([*ROOM_EVENTS, "call.state"]), room_params),
    st.tuples(st.just(""), rubbish),
)


# Each frame passes through a whole client here, so there are fewer of them than in the tests of the cores.
@settings(max_examples=max(EXAMPLES // 2, 20), deadline=None)
@given(st.lists(told, min_size=FRAMES_PER_EXAMPLE, max_size=FRAMES_PER_EXAMPLE))
def test_nothing_that_a_service_says_is_too_much(script: list[tuple[str, Any]]) -> None:
    asyncio.run(play(script))


async def play(script: list[tuple[str, Any]]) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    service = Service()
    # No key: making one for each of thousands of clients takes longer than what is tested.
    options = service.options(client_bound=False)
    async with SignalWire(Tokens(), media=ScriptedMedia(), options=options) as client:
        await client.register()
        for number, (kind, value) in enumerate(script):
            service.say(
                value
                if kind == ""
                else json.dumps(
                    {
                        "jsonrpc": "2.0",
                        "id": f"event-{number}",
                        "method": "signalwire.event",
                        "params": {"event_type": kind, "params": value, "event_channel": ""},
                    }
                )
            )
        service.say(m.encode(m.request("signalwire.ping", {"timestamp": 1}, id="last")))
        left = any(kind == "" and "signalwire.disconnect" in str(value) for kind, value in script)
        if not left:
            await service.until(lambda: any(response.id == "last" for response in service.responses))
            assert client.ready
        else:
            await service.until(lambda: client.is_registered)
    assert not faults, faults[0]
