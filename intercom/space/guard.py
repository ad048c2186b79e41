"""What every HTTP request passes: Host and Origin checks, a rate, CORS and the security headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from intercom.space.certificate import Names

REQUESTS_PER_S: Final = 20.0
"""Requests another machine may make, on average; a station needs a handful to start."""
REQUESTS_BURST: Final = 100.0
"""Requests another machine may make at once: a page with all its files."""
CLIENTS_LIMIT: Final = 1024
"""Machines whose rate is remembered."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PERMISSIONS: Final = "microphone=(self), camera=(self), autoplay=(self), geolocation=(), payment=(), usb=()"
_CORS_HEADERS: Final = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}


class Guard:
    """The middleware; it also serves the CORS preflight that the reference client's HTTP calls need (protocol §7).

    :param names: by what names this machine may be asked for; anything else is a DNS-rebinding attempt.
    :param encrypted: whether the server speaks TLS.
    :param now: monotonic seconds.
    """

    def __init__(self, names: Names, *, encrypted: bool, now: Callable[[], float]) -> None:
        self._names = names
        self._socket_scheme = "wss" if encrypted else "ws"
        self._now = now
        self._allowances: dict[str, tuple[float, float]] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what may not come in; else let `handler` answer."""
        if not self._names.include(_host_of(f"//{request.host}")):
            return web.Response(status=421, text="This space is not known by that name; add it to space.host_names.\n")
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not self._names.include(_host_of(origin)):
            return web.Response(status=403, text="Pages of other sites may not use this space.\n")
        if not self._within_rate(request.remote):
            return web.Response(status=429, headers={hdrs.RETRY_AFTER: "1"})
        if request.method == hdrs.METH_OPTIONS:
            return web.Response(status=204, headers=_CORS_HEADERS if origin else {})
        return await handler(request)

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Signal handler `on_response_prepare`: the headers of every answer."""
        headers = response.headers
        headers[hdrs.SERVER] = "intercom"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and response.status != 403:
            headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            headers[hdrs.VARY] = hdrs.ORIGIN
        if request.path.startswith("/station/"):
            headers[hdrs.CACHE_CONTROL] = "no-cache"
            headers["Content-Security-Policy"] = self._policy(request.host)
            headers["Permissions-Policy"] = _PERMISSIONS
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["X-Frame-Options"] = "DENY"
        else:
            headers[hdrs.CACHE_CONTROL] = "no-store"

    def _policy(self, host: str) -> str:
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; "
            "worker-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
            f"connect-src 'self' {self._socket_scheme}://{host}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def _within_rate(self, remote: str | None) -> bool:
        if remote is None or _is_loopback(remote):
            return True
        now = self._now()
        allowance, counted_at = self._allowances.pop(remote, (REQUESTS_BURST, now))
        allowance = min(REQUESTS_BURST, allowance + (now - counted_at) * REQUESTS_PER_S)
        while len(self._allowances) >= CLIENTS_LIMIT:
            del self._allowances[next(iter(self._allowances))]
        self._allowances[remote] = (max(0.0, allowance - 1.0), now)
        return allowance >= 1.0


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(remote: str) -> bool:
    try:
        return ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False
