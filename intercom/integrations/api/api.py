"""Serves the HTTP API on a port of its own, with the listener, the request filter and the TLS of the space."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from intercom.config import Config
from intercom.config.api import ApiConfig
from intercom.history.families import Family, each
from intercom.integrations.access import Access
from intercom.integrations.api import commands
from intercom.integrations.api.events import HEARTBEAT_S, Events
from intercom.integrations.api.figures import Requests
from intercom.integrations.api.openapi import openapi
from intercom.integrations.api.problems import as_problems
from intercom.integrations.api.who import Gatekeeper
from intercom.integrations.tokens import FILE, Tokens
from intercom.netlink import NetworkWatch
from intercom.space.errors import StoreError
from intercom.space.http.listener import Listener
from intercom.space.http.proxies import Proxies
from intercom.space.http.request_filter import Guard
from intercom.space.location import Location
from intercom.space.tls.tls import Tls
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

DIRECTORY: Final = "api"
"""Directory of the API's certificate and its CA in the door's state directory."""
ADDRESSES_POLL_S: Final = 10.0
"""Poll interval of the machine's addresses where the kernel does not report changes."""
BODY_LIMIT_BYTES: Final = 16 * 1024
"""Size limit of a body; the longest, a sentence to speak, is a twentieth of this."""
REQUEST_LIMIT_S: Final = 15.0
"""Time limit of a request: a command has 10 s to answer."""


class Api:
    """The API of a door."""

    def __init__(self, config: ApiConfig, state_dir: Path, access: Access, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._config = config
        self._access = access
        self._location = Location(config)
        self._proxies = Proxies(config.trusted_proxies, config.public_url)
        self._requests = Requests()
        self._tls = Tls(config, state_dir / DIRECTORY, self._location, on_change=lambda: None, whose="The API")
        self._gatekeeper = Gatekeeper(Tokens(state_dir / FILE))
        self._events = Events(
            access, lasting=self._lasting, still_good=self._gatekeeper.still_good, heartbeat_s=heartbeat_s
        )
        self._listener = Listener(self._application(), proxies=self._proxies, request_limit_s=REQUEST_LIMIT_S)
        self._addresses = NetworkWatch(self._follow_addresses, poll_s=ADDRESSES_POLL_S)
        self._tasks = TaskSet(access.failed)

    @property
    def port(self) -> int:
        """The port on which the API listens."""
        return self._location.port

    async def start(self) -> None:
        """Listen. Raises OSError when the port is not available, or the certificate cannot be kept."""
        location, context = self._location, None
        if location.encrypted:
            context = self._tls.begin()
            location.follow()
            self._tasks.spawn(self._tls.watch(), name="api certificate")
        try:
            location.port = await self._listener.start(location.host, location.port, context)
        except OSError as problem:
            raise OSError(
                f"the API cannot listen on {self._config.listen}: {problem.strerror or problem}; stop what uses the "
                "port, or choose another in api.listen"
            ) from problem
        self._addresses.start()
        self._access.subscribe(self._events.take)
        logger.info("The API serves at %s.", location.public_url)

    async def stop(self) -> None:
        """Close the port and all connections."""
        self._addresses.stop()
        self._events.stop()
        await self._tasks.stop()
        await self._listener.stop()

    def document(self) -> Mapping[str, Any]:
        """Return where it serves, and what is wrong with its certificate."""
        return {"url": self._location.public_url, "connections": len(self._listener), "trouble": self._tls.trouble}

    def figures(self) -> list[Family]:
        """Return the figures of the requests, and of those who read the events."""
        readers = self._events.readers.items()
        about = "Programs that read the events now."
        return [self._requests.family(), each("intercom_api_readers", "gauge", about, "by", readers)]

    def _follow_addresses(self) -> None:
        """Answer to the machine's new names and addresses, with a certificate for them."""
        if not self._location.follow():
            return
        logger.info("The addresses of this machine changed; the API serves at %s.", self._location.public_url)
        try:
            self._tls.follow()
        except StoreError as problem:
            logger.warning("%s", problem)

    def _lasting(self, request: web.Request, who: str) -> None:
        self._listener.joined(request, who)

    def _application(self) -> web.Application:
        location = self._location
        guard = Guard(
            lambda: location.names, self._proxies, only_proxied=location.only_proxied, now=time.monotonic, table="api"
        )
        app = web.Application(
            middlewares=[as_problems, guard.middleware, self._gatekeeper.middleware], client_max_size=BODY_LIMIT_BYTES
        )
        app.on_response_prepare.append(guard.add_headers)
        app.on_response_prepare.append(self._requests.count)
        app.add_routes(
            [
                *commands.routes(self._access),
                web.get(f"{commands.PREFIX}/events", self._events.serve, allow_head=False),
                web.get(f"{commands.PREFIX}/openapi.json", self._document, allow_head=False),
            ]
        )
        return app

    async def _document(self, _: web.Request) -> web.Response:
        return web.json_response(openapi(self._access))


def build(config: Config, state_dir: Path, access: Access) -> Api:
    """Return the API that this configuration asks for."""
    return Api(config.api, state_dir, access)
