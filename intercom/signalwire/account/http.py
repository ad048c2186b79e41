"""Makes the few HTTP calls that the service needs: the standard library in a thread, everything bounded."""

from __future__ import annotations

import asyncio
import functools
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from intercom.net import connect
from intercom.signalwire.errors import HttpError
from intercom.signalwire.link.transport import check_secure, is_local, ssl_context

HTTP_TIMEOUT_S = 30.0
MAX_RESPONSE_BYTES = 1024 * 1024
"""Size limit of a response: twice a page of a directory with a thousand addresses."""
RETRIES = 3
"""Limit of retries after a 5xx (reference client)."""
RETRY_DELAY_S = 0.5


class RequestJson(Protocol):
    """Makes an HTTP call with the arguments of `request_json`."""

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        bearer: str | None = None,
        body: Mapping[str, Any] | None = None,
        certificate: str | None = None,
    ) -> Any:
        """Make the call and return its JSON answer."""


class _Connection(http.client.HTTPConnection):
    """A connection that reaches this machine without a name lookup."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect


class _TlsConnection(http.client.HTTPSConnection):
    """The same connection with TLS."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._connection = functools.partial(_TlsConnection, context=context)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, request)


async def request_json(
    method: str,
    url: str,
    *,
    bearer: str | None = None,
    body: Mapping[str, Any] | None = None,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    certificate: str | None = None,
    timeout_s: float = HTTP_TIMEOUT_S,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Any:
    """Make one call and return its JSON answer; what it sends is `body` as JSON, or `data` as it is.

    Raises `HttpError` whose `status` is the response's, or 0 when there was none; a 5xx is tried again.
    `bearer` travels in the Authorization header and appears in no message. Redirects are not followed.
    """
    check_secure(url)
    all_headers = {"Accept": "application/json", **(headers or {})}
    if data is not None:
        all_headers["Content-Type"] = "application/octet-stream"
    if body is not None:
        data = msgspec.json.encode(body)
        all_headers["Content-Type"] = "application/json"
    if bearer is not None:
        all_headers["Authorization"] = f"Bearer {bearer}"
    request = urllib.request.Request(url, data, all_headers, method=method)  # noqa: S310 - scheme checked above
    for attempt in range(RETRIES + 1):
        try:
            return await asyncio.to_thread(_fetch, request, certificate, timeout_s)
        except HttpError as error:
            if error.status < 500 or attempt == RETRIES:
                raise
            await sleep(RETRY_DELAY_S * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def _fetch(request: urllib.request.Request, certificate: str | None, timeout_s: float) -> Any:
    where = f"{request.get_method()} {request.full_url.partition('?')[0]}"
    try:
        opener = _opener(request.type, certificate, is_local(request.full_url))
        with opener.open(request, timeout=timeout_s) as response:
            content = response.read(MAX_RESPONSE_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise HttpError(f"{where} was answered with {error.code} {error.reason}.", status=error.code) from error
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last of a name that cannot be looked up
        reason = getattr(error, "reason", error)
        raise HttpError(f"{where} had no answer: {reason}.") from error
    if len(content) > MAX_RESPONSE_BYTES:
        raise HttpError(f"{where} was answered with more than {MAX_RESPONSE_BYTES} bytes.")
    try:
        return msgspec.json.decode(content) if content else None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise HttpError(f"{where} was answered with something that is not JSON.") from error


def _opener(scheme: str, certificate: str | None, loopback: bool) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if loopback else None),
        _HttpsHandler(ssl_context(certificate)) if scheme == "https" else _HttpHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),  # of redirects too, which would carry the token to another host
    ):
        opener.add_handler(handler)
    return opener
