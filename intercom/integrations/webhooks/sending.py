"""Posts one delivery to its receiver, and judges the answer."""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import hdrs

from intercom import __version__
from intercom.notify.message import Outcome

ATTEMPT: Final = aiohttp.ClientTimeout(total=8.0, connect=5.0)
"""Time limits of one attempt, less than those of a command: `intercom webhook test` waits for one."""
LATER_LIMIT_S: Final = 3600.0
"""Limit of the pause that a receiver may ask for."""
TRY_AGAIN: Final = (408, 425, 429)
"""Answers, beside all of 5xx, after which another attempt may help."""


class Sender:
    """The way to one receiver. Belongs to the event loop."""

    def __init__(self, url: str, certificate: str) -> None:
        """`certificate` is the file with the CA to trust; empty: the system's."""
        self._url = url
        self._certificate = certificate
        self._http: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        """Try once; return what became of it. Raises nothing that the receiver can cause."""
        sent = {**headers, hdrs.CONTENT_TYPE: "application/json", hdrs.USER_AGENT: f"intercom/{__version__}"}
        try:
            http = await self._session()
        except OSError as error:  # ssl.SSLError among them
            why = f"the CA in {self._certificate} cannot be used: {error.strerror}"
            return Outcome(arrived=False, why=why, again=True)
        try:
            # A redirect could lead out of the house, and is not followed; the answer's body is of no use.
            async with http.post(self._url, data=body, headers=sent, allow_redirects=False) as answer:
                return judged(answer.status, answer.headers.get(hdrs.RETRY_AFTER, ""))
        except TimeoutError:
            return Outcome(arrived=False, why="no answer in time", again=True)
        except aiohttp.ClientConnectorCertificateError:
            return Outcome(arrived=False, why="the receiver's certificate is not trusted", again=True)
        except aiohttp.ClientConnectorError as error:
            return Outcome(arrived=False, why=f"not reached: {error.os_error.strerror or 'no address'}", again=True)
        except (aiohttp.ClientError, OSError) as error:
            return Outcome(arrived=False, why=f"not understood: {type(error).__name__}", again=True)

    async def close(self) -> None:
        """Close the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            # It reads the system's hundred CAs: not on the event loop.
            tls = await asyncio.to_thread(ssl.create_default_context, cafile=self._certificate or None)
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls, limit=2, force_close=True),
                timeout=ATTEMPT,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._http


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
