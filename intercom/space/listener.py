"""The port: accepts connections, and closes those that come in too great a number or say nothing.

aiohttp waits for a request's head without end, so a machine on the network could hold every file descriptor.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final
from weakref import WeakSet

from aiohttp import web

from intercom.space.guard import Handler

CONNECTIONS_LIMIT: Final = 700
"""Connections at once: every socket there may be, and pages loading; below the usual 1024 file descriptors."""
SILENCE_LIMIT_S: Final = 10.0
"""How long a new connection may take to its TLS handshake, and then to its first request."""
KEEP_ALIVE_S: Final = 15.0
"""How long a connection may wait for its next request."""
STOP_LIMIT_S: Final = 0.5
"""How long requests that are being answered may take when the space stops."""


class Listener:
    """Serves an application on one port.

    :param silence_limit_s: how long a connection may say nothing.
    :param connections_limit: how many there may be.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        silence_limit_s: float = SILENCE_LIMIT_S,
        connections_limit: int = CONNECTIONS_LIMIT,
    ) -> None:
        self._silence_limit_s = silence_limit_s
        self._connections_limit = connections_limit
        self._spoke: WeakSet[asyncio.BaseTransport] = WeakSet()
        app.middlewares.insert(0, self._note)
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=KEEP_ALIVE_S, shutdown_timeout=STOP_LIMIT_S
        )
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """Listen; return the port. Raises `OSError` when it cannot be had."""
        await self._runner.setup()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._accept,
                host,
                port,
                ssl=context,
                ssl_handshake_timeout=None if context is None else self._silence_limit_s,
            )
        except OSError:
            await self._runner.cleanup()
            raise
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _accept(self) -> asyncio.BaseProtocol:
        assert self._runner.server is not None
        if len(self._runner.server.connections) >= self._connections_limit:
            return _Refusal()
        protocol = self._runner.server()
        asyncio.get_running_loop().call_later(self._silence_limit_s, self._check, protocol)
        return protocol

    def _check(self, protocol: web.RequestHandler) -> None:
        if protocol.transport is not None and protocol.transport not in self._spoke:
            protocol.transport.abort()

    @web.middleware
    async def _note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.transport is not None:
            self._spoke.add(request.transport)
        return await handler(request)


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
