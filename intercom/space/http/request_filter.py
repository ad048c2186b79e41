"""Filters every HTTP request: Host and Origin checks, a rate limit, CORS, framing and the security headers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from intercom.net import is_loopback
from intercom.space.errors import StoreError
from intercom.space.http.allowance import Allowances
from intercom.space.http.proxies import DEFAULT_PORTS, Asker, Proxies
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.names import Names

logger = logging.getLogger(__name__)

REQUESTS_PER_S: Final = 20.0
"""Limit of requests a second from another machine, on average; a station needs a handful to start."""
REQUESTS_BURST: Final = 100.0
"""Limit of requests from another machine at once: a page with all its files."""
REFUSAL_SHARE: Final = 0.1
"""Share of that burst that a wrong code, secret or token costs: ten guesses at once, then two a second."""

STATION: Final = "/station/"
"""Path of the page's files."""
VIEWERS: Final = "/whep/"
"""Path of the viewers with a token, which pages that may frame the station may ask as well."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ASKER: Final = web.RequestKey("asker", Asker)

_PERMISSIONS: Final = "microphone=(self), camera=(self), autoplay=(self), geolocation=(), payment=(), usb=()"
_CORS_HEADERS: Final[dict[str, str]] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}
_VIEWERS_CORS_HEADERS: Final[dict[str, str]] = {
    **_CORS_HEADERS,
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type, if-match",
    "Accept-Post": "application/sdp",
}


class Guard:
    """Middleware that filters requests and answers the CORS preflight of the reference client (protocol §7).

    :param names: by what names this machine may be asked for; anything else is a DNS-rebinding attempt.
    :param proxies: whose word about the machines behind them is taken.
    :param only_proxied: whether other machines must come by a proxy: what they send is not encrypted else.
    :param embed_allowed: origins whose pages may frame the station, and watch with a token.
    :param now: monotonic seconds.
    :param table: the table of the configuration that names more names and proxies.
    """

    def __init__(
        self,
        names: Callable[[], Names],
        proxies: Proxies,
        *,
        only_proxied: bool,
        embed_allowed: Sequence[str] = (),
        now: Callable[[], float],
        table: str = "space",
    ) -> None:
        self._embed_allowed = tuple(embed_allowed)
        self._names = names
        self._proxies = proxies
        self._only_proxied = only_proxied
        self._allowances = Allowances(REQUESTS_PER_S, REQUESTS_BURST, now=now)
        self._table = table
        self._log = Seldom(logger, now=now)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a forbidden request; let `handler` answer all others."""
        try:
            asker = self._proxies.asker(request)
        except ValueError:
            return web.Response(status=400, text="The Host header names no host.\n")
        request[_ASKER] = asker
        refusal = self._refusal(request, asker)
        if refusal is not None:
            return refusal
        if request.method == hdrs.METH_OPTIONS:
            cors = _VIEWERS_CORS_HEADERS if request.path.startswith(VIEWERS) else _CORS_HEADERS
            return web.Response(status=204, headers=cors if hdrs.ORIGIN in request.headers else {})
        try:
            answer = await handler(request)
        except StoreError as problem:
            self._log.warn("store", "%s", problem)
            return web.json_response({"error": "The house cannot write anything down now; try again."}, status=503)
        if answer.status == web.HTTPUnauthorized.status_code:
            self._allowances.charge(asker.address, REFUSAL_SHARE)
        return answer

    def _refusal(self, request: web.Request, asker: Asker) -> web.Response | None:
        names = self._names()
        if not names.include(asker.host):
            told = f"This machine is not known by that name; add it to {self._table}.host_names.\n"
            return web.Response(status=421, text=told)
        origin = request.headers.get(hdrs.ORIGIN)
        # The page's files hold nothing, and no other site may read or embed them (see `add_headers`). They come also
        # where an unknown proxy makes the page's own Origin look foreign: the page can then say so.
        public = request.path.startswith(STATION)
        if origin is not None and not public and not self._may_read(origin, request, asker):
            return web.Response(status=403, text="Pages of other sites may not use this.\n")
        if self._only_proxied and not asker.forwarded and not is_loopback(asker.address):
            return web.Response(status=403, text="This is reached through its reverse proxy only.\n")
        if not self._allowances.take(asker.address):
            return web.Response(status=429, headers={hdrs.RETRY_AFTER: "1"})
        if not asker.forwarded and hdrs.X_FORWARDED_PROTO in request.headers and is_loopback(asker.address):
            self._log.warn(
                "proxy",
                "A reverse proxy on this machine passes requests on, and is not believed: without "
                '%s.trusted_proxies = ["%s"] nobody can connect through it.',
                self._table,
                asker.address,
            )
        return None

    def _may_read(self, origin: str, request: web.Request, asker: Asker) -> bool:
        """Return whether a page of this origin may use what it asks for, and read the answer."""
        embeds = request.path.startswith(VIEWERS) and origin in self._embed_allowed
        return embeds or _is_own(origin, asker, self._names())

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the security headers to every answer (signal handler `on_response_prepare`)."""
        headers = response.headers
        headers[hdrs.SERVER] = "intercom"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        asker = request.get(_ASKER)
        origin = request.headers.get(hdrs.ORIGIN)
        if asker is not None and origin is not None and self._may_read(origin, request, asker):
            headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            headers[hdrs.VARY] = hdrs.ORIGIN
            if request.path.startswith(VIEWERS):
                headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Location, ETag, Accept-Patch"
        if asker is not None and request.path.startswith(STATION):
            headers[hdrs.CACHE_CONTROL] = "no-cache"
            headers["Content-Security-Policy"] = _policy(asker, self._embed_allowed)
            headers["Permissions-Policy"] = _PERMISSIONS
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            if not self._embed_allowed:  # it knows no list of origins, and would contradict the policy's
                headers["X-Frame-Options"] = "DENY"
        else:
            headers[hdrs.CACHE_CONTROL] = "no-store"


def _policy(asker: Asker, embed_allowed: Sequence[str]) -> str:
    ancestors = " ".join(embed_allowed) or "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; "
        "worker-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
        f"connect-src 'self' {asker.socket_origin}; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )


def _is_own(origin: str, asker: Asker, names: Names) -> bool:
    """Return whether an Origin (RFC 6454 §6.2) is this space: its scheme, its port and one of its names."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in DEFAULT_PORTS and asker.is_site(parts.scheme, port) and names.include(parts.hostname or "")


def asker_of(request: web.Request) -> Asker:
    """Return the asker of a request that has passed the guard."""
    return request[_ASKER]
