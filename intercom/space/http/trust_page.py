"""Serves the page /trust over plain http: it hands out the house's CA, tells how to trust it, and nothing else.

It has to be plain: a device that does not trust the house yet opens nothing else of it without a warning.
"""

from __future__ import annotations

import html
import logging
import plistlib
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from cryptography.hazmat.primitives.serialization import Encoding

from intercom.languages import Catalogue, catalogue, preferred
from intercom.net import authority
from intercom.space.http.listener import Listener
from intercom.space.http.proxies import Proxies
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.http.request_filter import Guard, Handler, asker_of
from intercom.space.location import Location
from intercom.space.tls.authority import Authority

logger = logging.getLogger(__name__)

DIRECTORY: Final = Path(__file__).with_name("trust")
"""Directory of the page's files."""
_BLANK: Final = re.compile(r"\{\{(t:)?([\w.-]+)\}\}")
"""What is filled into the page: a value, or the sentence of a key that begins with "trust."."""
_NAMESPACE: Final = uuid.UUID("8f0e5a0e-2b0d-4f0b-9a55-0d1f6a1f6e5b")
"""Namespace of the profile's UUIDs: a device takes a profile with a known UUID for the same one."""


class TrustPage:
    """The page on a port of its own, beside the space.

    :param port: the wanted port; 0 lets the system choose one.
    :param wanted: whether the page is to be served now.
    :param ca: the CA that it hands out.
    :param language: the house's language, for a browser that asks for none that the page speaks.
    """

    def __init__(
        self, location: Location, port: int, *, wanted: Callable[[], bool], ca: Authority, language: str
    ) -> None:
        self._location = location
        self._port = port
        self._wanted = wanted
        self._ca = ca
        self._language = language
        self._listener: Listener | None = None
        self._log = Seldom(logger)
        self._files = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.iterdir()}
        self.port = 0
        """The port on which it is served; 0 while it is not."""

    @property
    def url(self) -> str:
        """The page's URL; empty while it is not served."""
        return f"http://{authority(self._location.public_host, self.port)}/trust" if self.port else ""

    async def follow(self) -> bool:
        """Serve the page or stop to, as is wanted now; return whether that changed something."""
        if self._wanted() == (self._listener is not None):
            return False
        if self._listener is not None:
            await self.stop()
            return True
        listener = Listener(self._application())
        try:
            self.port = await listener.start(self._location.host, self._port, None)
        except OSError as problem:
            self._log.warn(
                "port",
                "The page with which devices learn to trust the house cannot be served on port %d: %s. Choose another "
                "one in [space] trust_port, or 0 for none.",
                self._port,
                problem.strerror or problem,
            )
            return False
        self._listener = listener
        return True

    async def stop(self) -> None:
        """Close the port and all connections."""
        listener, self._listener, self.port = self._listener, None, 0
        if listener is not None:
            await listener.stop()

    def _application(self) -> web.Application:
        guard = Guard(lambda: self._location.names, Proxies(()), only_proxied=False, now=time.monotonic)
        app = web.Application(middlewares=[guard.middleware, _only_reads], client_max_size=1)
        app.on_response_prepare.append(guard.add_headers)
        app.on_response_prepare.append(self._add_policy)
        app.add_routes(
            [
                web.get("/trust", self._page),
                web.get("/trust/house.crt", self._certificate),
                web.get("/trust/house.mobileconfig", self._profile),
                web.get("/trust/trust.css", self._file("trust.css", "text/css")),
                web.get("/trust/trust.js", self._file("trust.js", "text/javascript")),
            ]
        )
        return app

    def _house(self, request: web.Request) -> str:
        """Return the space's own address under the name by which this page is asked for."""
        return f"https://{authority(asker_of(request).host, self._location.port)}"

    def _words(self, request: web.Request) -> tuple[str, Catalogue]:
        """Return the language in which the page is asked for, and its sentences."""
        language = preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""), self._language)
        return language, catalogue(language)

    async def _page(self, request: web.Request) -> web.Response:
        language, words = self._words(request)
        house = html.escape(self._house(request))
        names = {"ca": html.escape(self._ca.name), "page": f"{house}/station/"}
        values = {"language": language, "house": house, "fingerprint": html.escape(self._ca.fingerprint)}

        def filled(blank: re.Match[str]) -> str:
            return words.say(f"trust.{blank[2]}", **names) if blank[1] else values[blank[2]]

        headers = {hdrs.CONTENT_LANGUAGE: language, hdrs.VARY: hdrs.ACCEPT_LANGUAGE}
        page = _BLANK.sub(filled, self._files["trust.html"])
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def _certificate(self, _request: web.Request) -> web.Response:
        headers = {hdrs.CONTENT_DISPOSITION: 'attachment; filename="house.crt"'}
        body = self._ca.certificate.public_bytes(Encoding.PEM)
        return web.Response(body=body, content_type="application/x-x509-ca-cert", headers=headers)

    async def _profile(self, request: web.Request) -> web.Response:
        body = profile(self._ca, self._words(request)[1].say("trust.profile"))
        return web.Response(body=body, content_type="application/x-apple-aspen-config")

    def _file(self, name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(_request: web.Request) -> web.Response:
            return web.Response(text=self._files[name], content_type=kind)

        return serve

    async def _add_policy(self, request: web.Request, response: web.StreamResponse) -> None:
        try:
            house = self._house(request)
        except KeyError:  # the guard refused it before it knew who asks
            house = "'none'"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src {house}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


@web.middleware
async def _only_reads(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
        return web.Response(status=405, headers={hdrs.ALLOW: "GET, HEAD"})
    return await handler(request)


def profile(ca: Authority, description: str) -> bytes:
    """Return an Apple configuration profile that holds the CA (payload com.apple.security.root), and says what for."""
    unique = ca.fingerprint
    identifier = f"intercom.house.{unique.replace(':', '')[:16].lower()}"
    certificate = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.ca",
        "PayloadUUID": str(uuid.uuid5(_NAMESPACE, f"ca {unique}")).upper(),
        "PayloadDisplayName": ca.name,
        "PayloadCertificateFileName": "house.crt",
        "PayloadContent": ca.certificate.public_bytes(Encoding.DER),
    }
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": identifier,
            "PayloadUUID": str(uuid.uuid5(_NAMESPACE, f"profile {unique}")).upper(),
            "PayloadDisplayName": ca.name,
            "PayloadDescription": description,
            "PayloadContent": [certificate],
        }
    )
