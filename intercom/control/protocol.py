"""The control protocol: JSON-RPC 2.0 in UTF-8, one message a line, over a stream. No I/O.

The server speaks first: the notification `hello` with the protocol's version. Then the client asks and the server
answers, in order; after `watch` the server also sends `status` notifications. No batches.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from intercom.control.errors import ForeignSpeechError, RefusedError

PROTOCOL = 1
"""Version of the protocol: raised when an old client would misunderstand a new server."""
REQUEST_LIMIT_BYTES = 16_384
"""Limit of a request: the longest, a call to a long SIP address, is a fiftieth of this."""
ANSWER_LIMIT_BYTES = 8 * 1024 * 1024
"""Limit of an answer: the longest is the log of a diagnostics bundle."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = (
    -32700,
    -32600,
    -32601,
    -32602,
    -32603,
)
"""Error codes of JSON-RPC 2.0, section 5.1."""
REFUSED = -32000
"""Error code when the door cannot do that now; the message says why."""
BUSY = -32001
"""Error code when too many clients are connected."""

Id = str | int | None


class Request(NamedTuple):
    """A client's request."""

    id: Id
    """Id of the request, repeated in the answer."""
    method: str
    """Name of the method."""
    params: dict[str, Any]
    """Parameters of the method."""


class Answer(NamedTuple):
    """A server's answer or notification."""

    id: Id
    """Id of the request; None for a notification."""
    method: str
    """Name of a notification; empty for an answer."""
    content: Any
    """Result of the request, or the notification's parameters."""


class BadRequestError(ForeignSpeechError):
    """The line is no valid request."""

    def __init__(self, code: int, message: str, id_: Id = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id_


class Lines:
    """Splits received bytes into lines of a bounded length."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that are complete now, without their ends; ForeignSpeechError if one is too long."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if len(rest) > self._limit or any(len(line) > self._limit for line in lines):
            raise ForeignSpeechError(f"a line is longer than {self._limit} bytes")
        return [bytes(line) for line in lines]


def parse_request(line: bytes) -> Request:
    """Parse a line as a request; BadRequestError names the fault."""
    try:
        message = json.loads(line)
        if b"\\u" in line:
            json.dumps(message, ensure_ascii=False).encode()  # half a surrogate pair can be written so, and is no text
    except (ValueError, RecursionError) as error:
        raise BadRequestError(PARSE_ERROR, "this is not JSON") from error
    if not isinstance(message, dict):
        raise BadRequestError(INVALID_REQUEST, "a request is one JSON object")
    id_ = message.get("id")
    if not (id_ is None or isinstance(id_, (str, int))) or isinstance(id_, bool):
        raise BadRequestError(INVALID_REQUEST, "an id is a text or a whole number")
    method, params = message.get("method"), message.get("params", {})
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise BadRequestError(INVALID_REQUEST, 'a request has "jsonrpc": "2.0" and a method', id_)
    if not isinstance(params, dict):
        raise BadRequestError(INVALID_PARAMS, "params is a JSON object", id_)
    return Request(id_, method, params)


def parse_answer(line: bytes) -> Answer:
    """Parse a line from the server; RefusedError if it is an error, ForeignSpeechError if it is not this protocol."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ForeignSpeechError("what the service sent is not JSON") from error
    if not isinstance(message, dict):
        raise ForeignSpeechError("what the service sent is no JSON-RPC")
    error_ = message.get("error")
    if isinstance(error_, dict):
        code = error_.get("code")
        raise RefusedError(str(error_.get("message", "")), code if isinstance(code, int) else INTERNAL_ERROR)
    if isinstance(message.get("method"), str):
        return Answer(None, message["method"], message.get("params", {}))
    if "result" not in message:
        raise ForeignSpeechError("what the service sent is neither an answer nor a notification")
    return Answer(message.get("id"), "", message["result"])


def check_hello(answer: Answer) -> dict[str, Any]:
    """Return the content of the server's hello; ForeignSpeechError for another version or another message."""
    if answer.method != "hello" or not isinstance(answer.content, dict):
        raise ForeignSpeechError("the service did not begin with hello: this is not the door's control socket")
    spoken = answer.content.get("protocol")
    if spoken != PROTOCOL:
        raise ForeignSpeechError(
            f"the running service speaks control protocol {spoken}, this command {PROTOCOL}: "
            "restart the service, so that both are of one version"
        )
    return answer.content


def request(id_: Id, method: str, params: Mapping[str, Any]) -> bytes:
    """Return a request as a line of bytes."""
    return _line({"jsonrpc": "2.0", "id": id_, "method": method, "params": dict(params)})


def result(id_: Id, content: Any) -> bytes:
    """Return an answer as a line of bytes."""
    return _line({"jsonrpc": "2.0", "id": id_, "result": content})


def refusal(id_: Id, code: int, message: str) -> bytes:
    """Return an error as a line of bytes."""
    return _line({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}})


def notification(method: str, params: Mapping[str, Any]) -> bytes:
    """Return a notification as a line of bytes."""
    return _line({"jsonrpc": "2.0", "method": method, "params": dict(params)})


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
