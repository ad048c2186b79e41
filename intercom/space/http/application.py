"""The space's web application: its APIs, the socket at its root, and the station's files, behind one guard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from aiohttp import hdrs, web

from intercom.space.http.request_filter import Guard
from intercom.space.http.sockets import Sockets
from intercom.space.http.station_files import station_routes

BODY_LIMIT_BYTES: Final = 16 * 1024
"""Size limit of an HTTP body; a token request with its proof has 2 kB."""


class Api(Protocol):
    """One of the space's APIs."""

    def routes(self) -> Iterable[web.RouteDef]:
        """Return what it answers."""


def application(guard: Guard, apis: Iterable[Api], sockets: Sockets, *, language: str) -> web.Application:
    """Return the application; `language` is the house's, for the files that no script translates."""

    async def root(request: web.Request) -> web.StreamResponse:
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            return await sockets.serve(request)
        raise web.HTTPFound("station/")

    app = web.Application(middlewares=[guard.middleware], client_max_size=BODY_LIMIT_BYTES)
    app.on_response_prepare.append(guard.add_headers)
    app.add_routes([route for api in apis for route in api.routes()])
    app.add_routes([web.get("/", root), *station_routes(language=language)])
    return app
