"""Accepts connections on the space's port, and ends those that take too long or are too many.

aiohttp waits for heads, bodies and readers without end, so one machine on the network could hold every connection. The
listener accepts by itself, before any TLS, so that it knows whose each descriptor is (`connection_limits.py`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs, web

from intercom.net import machine_of
from intercom.space.http.allowance import Allowances
from intercom.space.http.connection_limits import ConnectionLimits
from intercom.space.http.proxies import Proxies
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.http.request_filter import Handler
from intercom.space.http.request_log import request_log
from intercom.transports import break_off

logger = logging.getLogger(__name__)

SILENCE_LIMIT_S: Final = 10.0
"""Time limit of a new connection for its TLS handshake and the head of its first request together."""
REQUEST_LIMIT_S: Final = 10.0
"""Time limit of a request from its head to its answer: its body has 16 kB at most."""
KEEP_ALIVE_S: Final = 15.0
"""Time after which an idle connection is closed."""
ANSWER_LIMIT_S: Final = 30.0
"""Time limit of a connection, from the start of its answer, to read it, to wait, and to send the next head."""
SIGN_IN_LIMIT_S: Final = 15.0
"""Time after which a socket without a session is cut. The exchange closes it after 10 s; a client may not react."""
CLOSING_LIMIT_S: Final = 3.0
"""Time after which a closed socket is cut: its far end may never read the rest."""
STOP_LIMIT_S: Final = 0.5
"""Time limit of requests in progress when the space stops."""
TLS_SHUTDOWN_LIMIT_S: Final = 1.0
"""Time limit of the far end to confirm the end of a TLS connection."""
CONNECTIONS_PER_S: Final = 20.0
"""Limit of new connections a second from another machine, on average; a handshake costs 1 to 2 ms of a core."""
CONNECTIONS_BURST: Final = 100.0
"""Limit of new connections from another machine at once: several tablets may be switched on together."""
ACCEPTS_AT_ONCE: Final = 32
"""Limit of new connections accepted in a row before the open ones get their turn."""
BACKLOG: Final = 1024
"""Limit of connections that the kernel queues for us: a newcomer waits behind a burst and is not refused."""
UNREAD_LIMIT_BYTES: Final = 64 * 1024
"""Limit of the kernel buffer for a client that does not read; its own limit is megabytes for each."""
EXHAUSTED_PAUSE_S: Final = 1.0
"""Pause in accepting when the system has no descriptor or memory for a connection."""


@dataclass(eq=False)
class _Connection:
    """One accepted connection."""

    opening: asyncio.Task[None] | None = None
    transport: asyncio.Transport | None = None
    deadline: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """Break the connection off, whatever its state."""
        self.expect(None)
        if self.transport is not None:
            break_off(self.transport)
        elif self.opening is not None:
            self.opening.cancel()

    def expect(self, within_s: float | None) -> None:
        """Set the time after which the connection is ended unless `expect` is called again; None: no limit."""
        if self.deadline is not None:
            self.deadline.cancel()
        self.deadline = None if within_s is None else asyncio.get_running_loop().call_later(within_s, self.end)


class _Protocol(web.RequestHandler):
    """aiohttp's side of a connection, which reports the connection's end."""

    __slots__ = ("_on_end",)

    def __init__(self, server: web.Server, on_end: Callable[[], None], **settings: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **settings)
        self._on_end = on_end

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._on_end()


class Listener:
    """Serves an application on one port.

    :param proxies: reverse proxies, whose connections are other machines'.
    :param silence_limit_s: how long a connection may take to its first request.
    :param request_limit_s: how long a request may take.
    :param answer_limit_s: how long after it a connection may take until its next request.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        limits: ConnectionLimits | None = None,
        proxies: Proxies | None = None,
        silence_limit_s: float = SILENCE_LIMIT_S,
        request_limit_s: float = REQUEST_LIMIT_S,
        answer_limit_s: float = ANSWER_LIMIT_S,
    ) -> None:
        self._limits = ConnectionLimits() if limits is None else limits
        self._proxies = Proxies(()) if proxies is None else proxies
        self._silence_limit_s = silence_limit_s
        self._request_limit_s = request_limit_s
        self._answer_limit_s = answer_limit_s
        self._allowances = Allowances(CONNECTIONS_PER_S, CONNECTIONS_BURST, now=time.monotonic)
        self._log = Seldom(logger)
        self._request_log = request_log()
        self._open: dict[object, _Connection] = {}
        app.middlewares.insert(0, self._time)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_LIMIT_S)
        self._socket: socket.socket | None = None
        self._context: ssl.SSLContext | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """Listen; return the port. Raises `OSError` when the port is not available."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._context = context
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        await self._runner.setup()
        self._listen()
        return int(self._socket.getsockname()[1])

    async def stop(self) -> None:
        """Close the port, and all connections once their requests are answered."""
        self._close_port()
        await self._runner.cleanup()
        self.abort()

    def abort(self) -> None:
        """Close the port and break all connections off, at once."""
        self._close_port()
        for connection in list(self._open.values()):
            connection.end()

    def _close_port(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def __len__(self) -> int:
        return len(self._open)

    # -- new connections -------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept_some)

    def _accept_some(self) -> None:
        assert self._socket is not None
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as problem:
                self._log.warn("exhausted", "No connection can be accepted: %s. Trying again.", problem.strerror)
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._socket)
                loop.call_later(EXHAUSTED_PAUSE_S, self._listen)
                return
            self._take(accepted, str(address[0]))

    def _take(self, accepted: socket.socket, address: str) -> None:
        proxy = self._proxies.trust(address)
        if not proxy and not self._allowances.take(address):
            self._log.warn("rate", "%s opens connections too fast; those that are too many are closed.", address)
            accepted.close()
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_LIMIT_BYTES)
        assert self._runner.server is not None
        connection = _Connection()
        protocol = _Protocol(
            self._runner.server,
            lambda: self._ended(protocol),
            keepalive_timeout=KEEP_ALIVE_S,
            access_log=None,
            logger=self._request_log,
        )
        self._open[protocol] = connection
        if self._limits.entered(protocol, machine_of(address), connection.end, proxy=proxy):
            self._log.warn("crowded", "There are many connections, the last from %s; the oldest end.", address)
        connection.opening = asyncio.create_task(self._begin(accepted, protocol, connection), name="space connection")
        connection.opening.add_done_callback(lambda _: self._opened(accepted, protocol, connection))
        connection.expect(self._silence_limit_s)

    async def _begin(self, accepted: socket.socket, protocol: _Protocol, connection: _Connection) -> None:
        """Let a connection begin: with TLS, once its handshake is done."""
        encrypted = self._context is not None
        try:
            connection.transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=self._silence_limit_s if encrypted else None,
                ssl_shutdown_timeout=TLS_SHUTDOWN_LIMIT_S if encrypted else None,
            )
        except OSError as problem:  # ssl.SSLError among them: whoever connects may send whatever they like
            logger.debug("A connection did not begin: %s", problem)

    def _opened(self, accepted: socket.socket, protocol: _Protocol, connection: _Connection) -> None:
        if connection.transport is None:  # it failed, or was ended before it began
            accepted.close()
            self._ended(protocol)

    def _ended(self, protocol: _Protocol) -> None:
        self._limits.left(protocol)
        connection = self._open.pop(protocol, None)
        if connection is not None:
            connection.expect(None)

    # -- requests --------------------------------------------------------------------------------------------

    @web.middleware
    async def _time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = self._open.get(request.protocol)
        if connection is None:
            return await handler(request)
        address = request.remote or ""
        if self._proxies.trust(address):
            machine = machine_of(self._proxies.behind(address, request))
            self._limits.speaks_for(request.protocol, machine)
        upgrade = hdrs.UPGRADE in request.headers
        connection.expect(SIGN_IN_LIMIT_S if upgrade else self._request_limit_s)
        try:
            return await handler(request)
        finally:
            connection.expect(CLOSING_LIMIT_S if upgrade else self._answer_limit_s)

    def full(self, resident_id: str) -> str:
        """Return in a sentence why a resident may not come in; empty where there is room. A door always may."""
        if self._limits.has_room_for(resident_id):
            return ""
        room = self._limits.residents_limit
        why = f"This space is full: it has room for {room} members, and as many are connected; try again later."
        self._log.warn("full", "A resident is refused. %s LimitNOFILE= of its unit makes room.", why)
        return why

    def joined(self, request: web.Request, subscriber_id: str) -> None:
        """Note that the socket of this request has a session: its time limit ends."""
        connection = self._open.get(request.protocol)
        if connection is not None:
            self._limits.joined(request.protocol, subscriber_id)
            connection.expect(None)
