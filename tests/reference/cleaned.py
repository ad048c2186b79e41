"""A transcript without what is secret in it and what differs from run to run."""

from __future__ import annotations

import re
from typing import Any

# What stands in the transcript in place of a value, by the name of its field.
TOKENS = {"jwt_token", "dpop_token", "authorization_state", "credential", "username", "jkt", "urls"}
TIMES = {"timestamp", "expires_at", "created_at"}
IDS = {
    "callID": "call",
    "call_id": "call",
    "memberCallId": "call",
    "sessid": "call",
    "memberID": "member",
    "memberId": "member",
    "member_id": "member",
    "node_id": "node",
    "protocol": "channel",
    "event_channel": "channel",
    "identity": "identity",
    "jti": "jti",
    "project": "project",
    "project_id": "project",
    "space_id": "space",
    "subscriber_id": "subscriber",
}
SECRET_LINES = re.compile(r"^a=(ice-ufrag|ice-pwd|fingerprint|candidate|ssrc|ssrc-group|msid|rtcp):?.*$")


class Cleaner:
    """Replaces what is secret and what differs from run to run."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[str]] = {}
        self._requests: dict[str, str] = {}

    def frame(self, who: str, frame: dict[str, Any]) -> dict[str, Any]:
        """A whole frame; requests are numbered for each end by itself, for frames cross on the way."""
        for kind, request in ("request", frame), ("message", _message(frame)):
            if "method" in request:
                number = 1 + sum(known.startswith(f"<{who} {kind} ") for known in self._requests.values())
                self._requests.setdefault(str(request.get("id")), f"<{who} {kind} {number}>")
        cleaned: dict[str, Any] = self.clean(frame)
        return cleaned

    def clean(self, value: Any, name: str = "") -> Any:
        """A frame, or a part of one that stands under `name`."""
        if isinstance(value, dict):
            return {key: self.clean(inner, key) for key, inner in value.items()}
        if name in TOKENS:
            return f"<{name}>"
        if isinstance(value, list):
            return [self.clean(inner, name) for inner in value]
        if name in TIMES:
            return 0
        if name == "sdp" and value:
            return clean_sdp(str(value))
        if name == "id":
            return self._requests.get(str(value), "<id>")
        if name in IDS and value:
            return self._number(IDS[name], str(value))
        return value

    def _number(self, kind: str, value: str) -> str:
        known = self._numbers.setdefault(kind, [])
        if value not in known:
            known.append(value)
        return f"<{kind} {known.index(value) + 1}>"


def _message(frame: dict[str, Any]) -> dict[str, Any]:
    """The Verto message in a request; empty when there is none."""
    params = frame.get("params") or {}
    if params.get("event_type") == "webrtc.message":
        return dict(params["params"])
    return dict(params.get("message") or {})


def clean_sdp(sdp: str) -> str:
    """A session description without its secrets, addresses and random numbers."""
    kept = []
    for line in sdp.splitlines():
        if line.startswith("o="):
            kept.append("o=<origin>")
        elif line.startswith("c="):
            kept.append("c=<address>")
        elif line.startswith("m="):
            kind, _, rest = line.partition(" ")
            kept.append(f"{kind} <port> {rest.partition(' ')[2]}")
        elif secret := SECRET_LINES.match(line):
            hidden = f"a={secret[1]}:<{secret[1]}>"
            if hidden not in kept[-1:]:
                kept.append(hidden)
        else:
            kept.append(line)
    return "\r\n".join([*kept, ""])
