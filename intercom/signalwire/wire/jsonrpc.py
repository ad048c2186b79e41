"""Reads and writes JSON-RPC 2.0: one text frame is one request or one response (protocol.md §3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from intercom.signalwire.errors import BadFrameError

MAX_FRAME_BYTES = 256 * 1024
"""Size limit of a frame: an offer with audio, video and a dozen candidates has 8 kB."""

MAX_DEPTH = 32
"""Limit of nesting: a call's deepest message has eight levels; the recursive encoder fails near a thousand."""

PARSE_ERROR = -32700
"""Error codes of JSON-RPC 2.0, section 5.1; below them the service's own (protocol.md §3)."""
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
AUTHENTICATION_FAILED = -32002
REQUESTER_VALIDATION_FAILED = -32003


class ErrorObject(Struct, frozen=True):
    """The error of a failed request (JSON-RPC 2.0, section 5.1)."""

    code: int | str = 0
    """Error code, a number; some parts of the service write it as text."""
    message: str = ""
    """Error message, one sentence."""
    data: Any = UNSET
    """Further details."""

    @property
    def number(self) -> int:
        """Return the code as a number, 0 if it is not one."""
        try:
            return int(self.code)
        except ValueError:
            return 0


class Request(Struct, frozen=True, omit_defaults=True):
    """A request, in either direction."""

    method: str
    """Method, for example "signalwire.connect"."""
    params: dict[str, Any] = field(default_factory=dict)
    """The method's own struct, as builtins."""
    id: str | int = ""
    """Request id, a UUID for ours; the response repeats it."""


class Response(Struct, frozen=True, omit_defaults=True):
    """The answer to a request: either `error` is set, or `result` holds."""

    id: str | int
    """The request's id."""
    result: Any = None
    """The method's result, as builtins."""
    error: ErrorObject | None = None
    """The error, if the request failed."""


class _Frame(Struct):
    jsonrpc: str
    id: str | int | None = None
    method: str | UnsetType = UNSET
    params: dict[str, Any] | None = None
    result: Any = UNSET
    error: ErrorObject | UnsetType | None = UNSET


_decoder = msgspec.json.Decoder(_Frame)
_encoder = msgspec.json.Encoder()


def new_id() -> str:
    """Return a new request id, a random UUID (RFC 9562)."""
    return str(uuid.uuid4())


def parse(text: str | bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> Request | Response:
    """Return the request or response in a frame.

    Raises `BadFrameError`, with a sentence that quotes nothing of the frame, when it is larger than
    `max_bytes`, is not JSON, is nested deeper than `MAX_DEPTH`, or is no JSON-RPC 2.0 request or response.
    """
    if len(text) > max_bytes:
        raise BadFrameError(f"A frame of {len(text)} characters is over the limit of {max_bytes}; it is skipped.")
    try:
        frame = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadFrameError(f"A frame is no JSON-RPC: {type(error).__name__}; it is skipped.") from error
    if _is_deeper(frame.params, MAX_DEPTH) or _is_deeper(frame.result, MAX_DEPTH):
        raise BadFrameError(f"A frame is nested deeper than {MAX_DEPTH} levels; it is skipped.")
    if frame.jsonrpc != "2.0" or frame.id is None:
        raise BadFrameError("A frame is no JSON-RPC 2.0 with an id; it is skipped.")
    if frame.method is not UNSET:
        return Request(frame.method, frame.params or {}, frame.id)
    if frame.error is not UNSET and frame.error is not None:
        return Response(frame.id, error=frame.error)
    if frame.result is not UNSET:
        return Response(frame.id, frame.result)
    raise BadFrameError("A frame is neither a request nor a response; it is skipped.")


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether `value` nests lists and dictionaries more than `levels` deep; it does not recurse."""
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def encode(frame: Request | Response) -> str:
    """Return one message as the text of a frame."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": frame.id}
    if isinstance(frame, Request):
        body["method"] = frame.method
        body["params"] = frame.params
    elif frame.error is not None:
        body["error"] = frame.error
    else:
        body["result"] = frame.result
    return _encoder.encode(body).decode()


def request(method: str, params: Struct | Mapping[str, Any], *, id: str | None = None) -> Request:  # noqa: A002 - JSON-RPC's word
    """Return a request with a new id, from a struct of this file or a mapping."""
    return Request(method, builtins(params), id or new_id())


def response(id: str | int, result: Struct | Mapping[str, Any]) -> Response:  # noqa: A002 - JSON-RPC's word
    """Return the answer to the request `id`."""
    return Response(id, builtins(result))


def error_response(id: str | int, code: int, message: str) -> Response:  # noqa: A002 - JSON-RPC's word
    """Return the refusal of the request `id`."""
    return Response(id, error=ErrorObject(code, message))


_T = TypeVar("_T")


def decode(value: Any, kind: type[_T]) -> _T:
    """Read params or a result into a struct; raises `BadFrameError` naming the field that is wrong."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadFrameError(f"{kind.__name__} cannot be read: {error}") from error


def builtins(value: Struct | Mapping[str, Any]) -> dict[str, Any]:
    """Return the dictionary that a struct or mapping becomes on the wire."""
    result: dict[str, Any] = msgspec.to_builtins(value)
    return result
