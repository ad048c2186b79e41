"""Two transcripts of the same script, compared field by field, and the differences that have a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.reference.transcript import Step

NOTHING = "(nothing)"
ORDER = "(the order of requests)"
REQUESTS = "(the requests)"
ANSWERS = "(the answers)"


@dataclass(frozen=True)
class Difference:
    """One field that is not the same."""

    step: str
    request: str
    """The method, with the Verto method and action inside it."""
    path: str
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class Allowed:
    """A difference that may be."""

    path: str
    reason: str
    request: str = ""
    """In these requests only, by the beginning of their name; empty: in all."""

    def allows(self, difference: Difference) -> bool:
        """Whether it is this one."""
        return difference.path == self.path and difference.request.startswith(self.request)


# Times and tokens are already replaced in both transcripts; ids are numbered in the order of their appearance.
ALLOWED: tuple[Allowed, ...] = (
    Allowed("params.agent", "each client says its own name", "signalwire.connect"),
    Allowed("params.message.params.sdp", "aiortc describes itself, Chromium itself", "webrtc.verto"),
    Allowed(
        ORDER,
        "the reference asks over HTTP who it is before it opens the socket, and binds its token before it registers; "
        "ours is reachable before it asks anything over HTTP",
    ),
    Allowed("id", "numbered in the order of requests, see there", "subscriber.online"),
    Allowed("id", "numbered in the order of requests, see there", "signalwire.reauthenticate"),
)


def differences(ours: list[Step], theirs: list[Step]) -> list[Difference]:
    """Every field of what the clients say that is not the same, step by step.

    Requests are compared in their order, answers to the space without regard to it: they cross on the way.
    """
    found: list[Difference] = []
    assert [step["step"] for step in ours] == [step["step"] for step in theirs]
    for our_step, their_step in zip(ours, theirs, strict=True):
        step = our_step["step"]
        our_requests, their_requests = requests_of(our_step), requests_of(their_step)
        our_names, their_names = ([name_of(one) for one in some] for some in (our_requests, their_requests))
        if sorted(our_names) != sorted(their_names):
            found.append(Difference(step, "", REQUESTS, our_names, their_names))
            continue
        if our_names != their_names:
            found.append(Difference(step, "", ORDER, our_names, their_names))
            our_requests, their_requests = (sorted(some, key=name_of) for some in (our_requests, their_requests))
            our_names.sort()
        for name, our_request, their_request in zip(our_names, our_requests, their_requests, strict=True):
            our_fields, their_fields = fields_of(our_request), fields_of(their_request)
            found += [
                Difference(step, name, path, our_fields.get(path, NOTHING), their_fields.get(path, NOTHING))
                for path in sorted({*our_fields, *their_fields})
                if our_fields.get(path, NOTHING) != their_fields.get(path, NOTHING)
            ]
        if answers_of(our_step) != answers_of(their_step):
            found.append(Difference(step, "", ANSWERS, answers_of(our_step), answers_of(their_step)))
    return found


def requests_of(step: Step) -> list[dict[str, Any]]:
    """What the client asks in a step."""
    said = [one["frame"] for one in step["frames"] if one["from"] == "client"]
    return [frame for frame in said if "method" in frame]


def answers_of(step: Step) -> Counter[str]:
    """What the client answers in a step, by what it answers to."""
    asked = {one["frame"]["id"]: name_of(one["frame"]) for one in step["frames"] if "method" in one["frame"]}
    return Counter(
        f"{asked.get(one['frame']['id'])}: {sorted(fields_of({**one['frame'], 'id': ''}).items())}"
        for one in step["frames"]
        if one["from"] == "client" and "method" not in one["frame"]
    )


def name_of(frame: dict[str, Any]) -> str:
    """A request in a few words."""
    params = frame.get("params") or {}
    match frame["method"]:
        case "webrtc.verto":
            message = params["message"]
            return " ".join(["webrtc.verto", message["method"], message["params"].get("action", "")]).strip()
        case "signalwire.event":
            return " ".join(["signalwire.event", params["event_type"], params["params"].get("method", "")]).strip()
        case method:
            return str(method)


def fields_of(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf of a frame by its path; empty objects and lists are leaves."""
    if isinstance(value, dict) and value:
        pairs = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list) and value:
        pairs = [(str(index), inner) for index, inner in enumerate(value)]
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in pairs:
        found |= fields_of(inner, f"{path}.{key}" if path else key)
    return found
