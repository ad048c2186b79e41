"""Frames as a hostile, forgetful or broken service might send them."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

# The nightly setting generates a hundred thousand frames in each property, the normal one five thousand.
NIGHTLY = os.environ.get("INTERCOM_NIGHTLY", "") not in {"", "0"}
FRAMES_PER_EXAMPLE = 25
EXAMPLES = (100_000 if NIGHTLY else 5_000) // FRAMES_PER_EXAMPLE

thorough = settings(max_examples=EXAMPLES, deadline=None)

METHODS = [
    "verto.invite", "verto.answer", "verto.media", "verto.bye", "verto.ping", "verto.info", "verto.attach",
    "verto.mediaParams", "verto.modify", "verto.unheard",
]  # fmt: skip

# Values where others belong; sampled, for drawing deep random ones costs more than what is tested.
ODD: list[Any] = [None, True, 0, -1.5, 2**70, "", "text", "\u0000", [], [1], [[]], {}, {"callID": []}]
ODD += [{"message": 5}, {"error": {}}]
anything = st.sampled_from([*ODD, {"result": {"error": []}}, {"node_id": 5, "result": {"result": []}}])
ids = st.sampled_from(["a", "b", "c"])
channels = st.sampled_from(["", "channel", "channel.x", "other", None, ["channel"], ["other"]])


def _verto_message(
    call_id: str, method: str, sdp: str, dtmf: str, damage: dict[str, Any], missing: str
) -> dict[str, Any]:
    params = {
        "callID": call_id,
        "sdp": sdp,
        "cause": "USER_BUSY",
        "dtmf": dtmf,
        "dialogParams": {"callID": call_id},
        "intercom": {"door": "open"},
        "mediaParams": {"audio": {}},
        **damage,
    }
    params.pop(missing, None)
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


FIELDS = st.sampled_from(["callID", "sdp", "cause", "dtmf", "dialogParams", "intercom", "mediaParams", "causeCode"])


def verto_messages(call_ids: st.SearchStrategy[str] = ids) -> st.SearchStrategy[dict[str, Any]]:
    """A Verto message, whole or with fields missing or wrong."""
    damage = st.one_of(st.just({}), st.dictionaries(FIELDS, anything, max_size=2))
    missing = st.one_of(st.just(""), FIELDS)
    dtmf = st.sampled_from(["1", "hello"])
    return st.builds(
        _verto_message, call_ids, st.sampled_from(METHODS), st.sampled_from(["", "v=0"]), dtmf, damage, missing
    )


def _event(request_id: str, message: dict[str, Any], kind: str, channel: Any, damage: Any) -> str:
    params = message if kind == "webrtc.message" else {"authorization_state": message["method"]}
    event = {"event_type": kind, "params": params, "event_channel": channel, "node_id": "n"}
    if damage is not None:
        event[["event_type", "params", "event_channel", "node_id"][damage[0]]] = damage[1]
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "signalwire.event", "params": event})


def events() -> st.SearchStrategy[str]:
    """A signalwire.event, whole or damaged."""
    kinds = st.sampled_from(["webrtc.message", "signalwire.authorization.state", "member.joined", "call.state"])
    damage = st.one_of(st.none(), st.tuples(st.integers(0, 3), anything))
    return st.builds(_event, ids, verto_messages(), kinds, channels, damage)


rubbish = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["{", "[]", "null", '{"jsonrpc":"2.0"}', "[" * 5000, '{"jsonrpc":"2.0","id":"a","error":{}}']),
    anything.map(json.dumps),
    st.builds(
        lambda request_id, method, params: json.dumps(
            {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        ),
        st.one_of(ids, anything),
        st.sampled_from(["signalwire.ping", "signalwire.disconnect", "signalwire.event", "nonsense"]),
        anything,
    ),
)
