"""Builds the frames that the space sends: answers, refusals and events as text (protocol §3 and §5); no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from intercom.signalwire.wire.messages import (
    CAUSE_CODES,
    INVALID_REQUEST,
    PARSE_ERROR,
    BadFrameError,
    ErrorObject,
    Event,
    Ping,
    Request,
    Response,
    VertoMessage,
    WebrtcVertoResult,
    builtins,
    encode,
    error_response,
)
from intercom.space.switch.calls.unreachable import UnreachableError

CALL_ERROR: Final = -32001
"""Error code inside a Verto answer: the call is unknown, or its state forbids the request."""
RATE_EXCEEDED: Final = -32029
"""Error code for a connection that sends faster than its limit."""
SESSIONS_EXCEEDED: Final = -32030
"""Error code for a subscriber with too many sessions. Its credential is valid: the client tries again."""

_CAUSE_NAME: Final = re.compile(r"[A-Z][A-Z_]{0,39}")


def result(request_id: str | int, value: Struct | Mapping[str, Any]) -> str:
    """Return the successful answer to a request."""
    return encode(Response(request_id, builtins(value)))


def refusal(request_id: str | int, code: int, message: str) -> str:
    """Return the error answer to a request."""
    return encode(error_response(request_id, code, message))


def unreadable(problem: BadFrameError) -> str:
    """Return the answer to a frame whose id could not be read."""
    cause = problem.__cause__
    not_json = isinstance(cause, msgspec.DecodeError) and not isinstance(cause, msgspec.ValidationError)
    code = PARSE_ERROR if not_json or isinstance(cause, UnicodeError) else INVALID_REQUEST
    return nameless_refusal(code, "This is no JSON-RPC 2.0 frame.")


def nameless_refusal(code: int, message: str) -> str:
    """Return a refusal that belongs to no request: its id is null (JSON-RPC 2.0 §5)."""
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return msgspec.json.encode(body).decode()


def verto_result(request: Request, message: VertoMessage, node_id: str, value: Struct | Mapping[str, Any]) -> str:
    """Return the answer to `webrtc.verto`: the Verto result inside the relay's (protocol §5)."""
    inner = {"jsonrpc": "2.0", "id": message.id, "result": builtins(value)}
    return result(request.id, WebrtcVertoResult(node_id=node_id, result=inner))


def verto_refusal(request: Request, message: VertoMessage, node_id: str, code: int, text: str) -> str:
    """Return the refusal of a `webrtc.verto`: the error stands in `result.result.error` (protocol §5)."""
    inner = {"jsonrpc": "2.0", "id": message.id, "error": builtins(ErrorObject(code, text))}
    return result(request.id, WebrtcVertoResult(node_id=node_id, result=inner))


def verto_unreachable(request: Request, message: VertoMessage, node_id: str, refusal: UnreachableError) -> str:
    """Return the refusal of an invite whose address no call can reach; its error has the cause's name and number."""
    error = ErrorObject(refusal.code, str(refusal), {"cause": refusal.cause, "causeCode": refusal.code})
    inner = {"jsonrpc": "2.0", "id": message.id, "error": builtins(error)}
    return result(request.id, WebrtcVertoResult(node_id=node_id, result=inner))


def event(event_id: str, body: Event) -> str:
    """Return a `signalwire.event`."""
    return encode(Request("signalwire.event", builtins(body), event_id))


def ping(request_id: str, wall: float) -> str:
    """Return a `signalwire.ping`, which a client answers as long as its program runs."""
    return encode(Request("signalwire.ping", builtins(Ping(wall)), request_id))


def cause_passed_on(cause: object, code: object) -> tuple[str, int]:
    """Return one end's hang-up cause if it is safe to pass on; NORMAL_CLEARING otherwise."""
    if not isinstance(cause, str) or not _CAUSE_NAME.fullmatch(cause):
        cause = "NORMAL_CLEARING"
    if cause in CAUSE_CODES:
        return cause, CAUSE_CODES[cause]
    if isinstance(code, str) and code.isdecimal() and len(code) <= 3:
        code = int(code)
    return cause, code if isinstance(code, int) and 0 < code < 1000 else CAUSE_CODES["NORMAL_CLEARING"]


def coded(cause: str) -> tuple[str, int]:
    """Return a cause of ours with its number."""
    return cause, CAUSE_CODES.get(cause, CAUSE_CODES["NORMAL_CLEARING"])
