"""Posts one delivery to its receiver, and judges the answer."""

from __future__ import annotations

import asyncio
import re
import ssl
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from intercom import __version__
from intercom.integrations.tls_trust import client_context
from intercom.notify.message import Outcome
from intercom.signalwire.link.dial import dial
from intercom.transports import break_off

ATTEMPT_S: Final = 8.0
"""Time limit of one attempt, less than that of a command: `intercom webhook test` waits for one."""
ANSWER_LIMIT_BYTES: Final = 16_384
"""Size limit of an answer's head, and of what comes before it (100 Continue). Its body is of no use, and not read."""
LATER_LIMIT_S: Final = 3600.0
"""Limit of the pause that a receiver may ask for."""
TRY_AGAIN: Final = (408, 425, 429)
"""Answers, beside all of 5xx, after which another attempt may help."""
_HEAD_END: Final = re.compile(rb"\n\r?\n")
"""End of a head. Many a small program ends its lines with LF alone (RFC 9112 section 2.2)."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r\n]")
_RETRY_AFTER: Final = re.compile(rb"(?i)\nretry-after:[ \t]*([^\r\n]*)")


class Sender:
    """The way to one receiver. Belongs to the event loop.

    A library for HTTP would read whatever a receiver sends, and hold the event loop with it.
    """

    def __init__(self, url: str, certificate: str) -> None:
        """`certificate` is the file with the CA to trust; empty: the system's."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._encrypted = parts.scheme == "https"
        self._port = parts.port or (443 if self._encrypted else 80)
        self._begins = (
            f"POST {parts.path or '/'}{'?' * bool(parts.query)}{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Connection: close\r\nContent-Type: application/json\r\nUser-Agent: intercom/{__version__}\r\n"
        )
        self._certificate = certificate
        self._tls: ssl.SSLContext | None = None

    async def post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        """Try once; return what became of it. Raises nothing that the receiver can cause."""
        sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"{self._begins}{sent}Content-Length: {len(body)}\r\n\r\n".encode() + body
        try:
            tls = await self._context()
        except OSError as error:  # ssl.SSLError among them
            why = f"the CA in {self._certificate} cannot be used: {error.strerror}"
            return Outcome(arrived=False, why=why, again=True)
        try:
            async with asyncio.timeout(ATTEMPT_S):
                return await self._exchange(request, tls)
        except TimeoutError:
            return Outcome(arrived=False, why="no answer in time", again=True)
        except ssl.SSLCertVerificationError:
            return Outcome(arrived=False, why="the receiver's certificate is not trusted", again=True)
        except OSError as error:
            return Outcome(arrived=False, why=f"not reached: {error.strerror or 'no address'}", again=True)
        except ValueError as error:
            return Outcome(arrived=False, why=f"not understood: {error}", again=True)

    async def _context(self) -> ssl.SSLContext | None:
        if self._tls is None and (self._encrypted or self._certificate):
            # It reads the system's hundred CAs: not on the event loop.
            self._tls = await asyncio.to_thread(client_context, self._certificate)
        return self._tls if self._encrypted else None

    async def _exchange(self, request: bytes, tls: ssl.SSLContext | None) -> Outcome:
        name = self._host if tls else None
        reader, writer = await asyncio.open_connection(
            sock=await dial(self._host, self._port), ssl=tls, server_hostname=name, limit=ANSWER_LIMIT_BYTES
        )
        try:
            writer.write(request)
            return await _answer(reader)
        finally:
            break_off(writer.transport)  # one that takes nothing would be waited for


async def _answer(reader: asyncio.StreamReader) -> Outcome:
    """Read the head of the answer, and judge it. Raises ValueError where there is none."""
    data, left = bytearray(), ANSWER_LIMIT_BYTES
    while left:
        more = await reader.read(left)
        if not more:
            raise ValueError("the connection ends without an answer")
        left -= len(more)
        begin = max(0, len(data) - 2)  # the end may have begun before
        data += more
        while (end := _HEAD_END.search(data, begin)) is not None:
            outcome = _outcome(bytes(data[: end.end()]))
            if outcome is not None:
                return outcome
            del data[: end.end()]
            begin = 0
    raise ValueError("the answer is too long")


def _outcome(head: bytes) -> Outcome | None:
    """Judge a head; None if it only says that the answer will come, as 100 Continue does."""
    found = _STATUS.match(head)
    if found is None:
        raise ValueError("that is no answer of HTTP/1.1")
    if found[1].startswith(b"1"):
        return None
    later = _RETRY_AFTER.search(head)
    # A redirect could lead out of the house, and is not followed.
    return judged(int(found[1]), later[1].decode("ascii", "replace").strip() if later else "")


def judged(status: int, retry_after: str) -> Outcome:
    """Return what became of a delivery that was answered so."""
    if 200 <= status < 300:
        return Outcome(arrived=True)
    try:
        why = f"the receiver says {status} {HTTPStatus(status).phrase}"
    except ValueError:
        why = f"the receiver says {status}"
    after_s = min(float(retry_after), LATER_LIMIT_S) if retry_after.isascii() and retry_after.isdecimal() else 0.0
    return Outcome(arrived=False, why=why, again=status in TRY_AGAIN or status >= 500, after_s=after_s)
