"""The bytes of RTSP (RFC 2326): requests and interleaved packets out of a stream, and responses into one. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

VERSION = "RTSP/1.0"
MOST_HEAD_BYTES = 8192
"""Limit of a request's line and headers; a player's are a few hundred."""
MOST_BODY_BYTES = 4096
"""Limit of a request's body: only GET_PARAMETER and SET_PARAMETER have one, a few words long."""
MOST_BLANK_LINES = 16
"""Limit of blank lines between two requests; some clients end a body with one."""
DOLLAR = 0x24
"""First byte of an interleaved packet (section 10.12)."""
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Request Entity Too Large",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "RTSP Version not supported",
    551: "Option not supported",
}
"""Status codes (section 7.1.1) with their phrases."""

_REQUEST = re.compile(r"([A-Z_]{1,20}) (\S{1,2000}) (RTSP/[0-9]\.[0-9])")
_HEADER = re.compile(r"([A-Za-z0-9-]{1,60})[ \t]*:(.*)")
"""Pattern of a header, the blanks around its value included: a pattern with blanks beside what may be blank, too,
tries all the ways to share them out."""


class WireError(ValueError):
    """The peer does not speak RTSP; the connection cannot go on. Its text is for the log."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    method: str
    """Method, in capitals."""
    url: str
    """URL as the client wrote it, or "*"."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers by their names in lower case; of two with one name the last."""

    @property
    def sequence(self) -> str:
        """Value of CSeq, which its response repeats; empty if it is missing or no number."""
        found = self.headers.get("cseq", "")
        return found if re.fullmatch(r"[0-9]{1,10}", found) else ""


@dataclass(frozen=True, slots=True)
class Interleaved:
    """An RTP or RTCP packet between the requests."""

    channel: int
    """Number of its channel, as SETUP agreed on it."""
    packet: bytes
    """The packet."""


class Reader:
    """Cuts a connection's bytes into requests and packets; it never holds more than one of them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None
        "a request whose body is still to come"
        self._body_bytes = 0
        self._blank_lines = 0

    def feed(self, data: bytes) -> Iterator[Request | Interleaved]:
        """Yield what the bytes until now complete; raises WireError for what is neither."""
        self._buffer += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Request | Interleaved | None:
        if self._head is not None:
            return self._with_body(self._head)
        while self._buffer[:2] == b"\r\n":
            del self._buffer[:2]
            self._blank_lines += 1
            if self._blank_lines > MOST_BLANK_LINES:
                raise WireError(400, f"more than {MOST_BLANK_LINES} blank lines come where a request should")
        if not self._buffer or self._buffer == b"\r":
            return None
        self._blank_lines = 0
        return self._packet() if self._buffer[0] == DOLLAR else self._request()

    def _packet(self) -> Interleaved | None:
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < end:
            return None
        packet = Interleaved(self._buffer[1], bytes(self._buffer[4:end]))
        del self._buffer[:end]
        return packet

    def _request(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n", 0, MOST_HEAD_BYTES + 4)
        if end < 0:
            if len(self._buffer) > MOST_HEAD_BYTES:
                raise WireError(413, f"a request's headers have more than {MOST_HEAD_BYTES} bytes")
            return None
        try:
            lines = self._buffer[:end].decode("utf-8").split("\r\n")
        except UnicodeDecodeError:
            raise WireError(400, "a request is not UTF-8 text") from None
        del self._buffer[: end + 4]
        request = _parsed(lines)
        self._body_bytes = _length(request)
        return self._with_body(request)

    def _with_body(self, request: Request) -> Request | None:
        """Return the request once its body is here, which no method of ours reads."""
        if len(self._buffer) < self._body_bytes:
            self._head = request
            return None
        del self._buffer[: self._body_bytes]
        self._head = None
        return request


def _parsed(lines: list[str]) -> Request:
    first = _REQUEST.fullmatch(lines[0])
    if first is None:
        raise WireError(400, "the first line is no request of RTSP")
    if first[3] != VERSION:
        raise WireError(505, f"the client speaks {first[3]}")
    headers = {}
    for line in lines[1:]:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise WireError(400, "a line among the headers is none")
        headers[found[1].lower()] = found[2].strip(" \t")
    return Request(first[1], first[2], headers)


def _length(request: Request) -> int:
    written = request.headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise WireError(400, "Content-Length is no number")
    if int(written) > MOST_BODY_BYTES:
        raise WireError(413, f"a request's body has more than {MOST_BODY_BYTES} bytes")
    return int(written)


def response(status: int, sequence: str = "", headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    """Return the bytes of a response; `headers` hold no text from outside that was not checked."""
    lines = [f"{VERSION} {status} {REASONS[status]}"]
    if sequence:
        lines.append(f"CSeq: {sequence}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = body.encode()
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def interleaved(channel: int, packet: bytes) -> bytes:
    """Return an RTP or RTCP packet as it goes between the responses."""
    return bytes((DOLLAR, channel)) + len(packet).to_bytes(2, "big") + packet
