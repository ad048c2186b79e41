"""Asks a real web application over a real connection: an input is a request, `[method, path, kind, says]` in JSON."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import weakref
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_network
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

from aiohttp import hdrs, web

from intercom.space.http.request_filter import Handler

Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

LIMIT_S = 60.0
"""Limit of the wait for an answer, however busy the machine is."""
WEBSOCKET = "WEBSOCKET"
"""Method of an input whose `says` is a list of messages."""
SWITCHED = 101
"""Status of the answer with which a WebSocket begins."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", WEBSOCKET)
_CLOSE = b"\x88\x80\0\0\0\0"
_UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n"


class Asked(NamedTuple):
    """A request; what is no text of a head is taken out of it, as a real client's library does."""

    method: str
    path: str
    kind: str
    "type of its content"
    says: object

    @property
    def body(self) -> bytes:
        return b"" if self.says is None else _written(self.says)

    def head(self, headers: Mapping[str, str]) -> bytes:
        lines = [f"{'GET' if self.method == WEBSOCKET else self.method} {quote(self.path, safe='/?=&%:')} HTTP/1.1"]
        lines += ["Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
        if self.method == WEBSOCKET:
            return "\r\n".join([*lines, _UPGRADE.format("A" * 22 + "=="), ""]).encode()
        if self.kind:
            lines.append(f"Content-Type: {re.sub('[^ -~]', '', self.kind)}")
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode()


def seed(method: str, path: str, says: object = None, kind: str = "application/json") -> bytes:
    """Return a whole input."""
    return json.dumps([method, path, kind, says]).encode()


def asked(data: bytes, otherwise: bytes) -> Asked:
    """Return the request of an input; what is none becomes the body of `otherwise`."""
    try:
        found = json.loads(data)
        match found:
            case [str(method), str(path), str(kind), says] if method in _METHODS and path.startswith("/"):
                _written(says)
                return Asked(method, path, kind, says)
    except (ValueError, RecursionError):
        pass
    method, path, kind, _ = json.loads(otherwise)
    return Asked(method, path, kind, data)


class Served:
    """An application that is served until nobody holds this any more."""

    def __init__(self, application: web.Application) -> None:
        self._raised: list[BaseException] = []
        application.middlewares.insert(0, self._watch())
        self._server = web.AppRunner(application, access_log=None)
        self._loop = asyncio.Runner()
        self._loop.get_loop().set_exception_handler(lambda _, told: self._raised.append(_error(told)))
        self._loop.run(self._server.setup())
        weakref.finalize(self, _close, self._loop, self._server)

    def ask(self, request: Asked, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Return the status and the body of the answer; raises what a handler did not expect."""
        self._raised.clear()
        answer = self._loop.run(self._ask(request, headers))
        if self._raised:
            raise self._raised[0]
        return answer

    def _watch(self) -> Middleware:
        raised = self._raised

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except web.HTTPException:
                raise
            except Exception as error:
                raised.append(error)
                raise

        return watch

    async def _ask(self, request: Asked, headers: Mapping[str, str]) -> tuple[int, bytes]:
        assert self._server.server is not None
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            socket.create_connection(listening.getsockname()) as client,
        ):
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(self._server.server, listening.accept()[0])
            async with asyncio.timeout(LIMIT_S):
                return await _conversation(client, request, headers)


def _error(told: dict[str, Any]) -> BaseException:
    found = told.get("exception")
    return found if isinstance(found, BaseException) else RuntimeError(told["message"])


def _close(loop: asyncio.Runner, server: web.AppRunner) -> None:
    loop.run(server.cleanup())
    loop.close()


async def _conversation(client: socket.socket, request: Asked, headers: Mapping[str, str]) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(sock=client)
    try:
        writer.write(request.head(headers))
        if request.method != WEBSOCKET:
            writer.write(request.body)
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = int(head.split()[1]), re.search(rb"Content-Length: ([0-9]+)", head)
        if status == SWITCHED:
            messages = request.says if isinstance(request.says, list) else [request.says]
            writer.write(b"".join(map(_frame, messages)) + _CLOSE)
            return status, await reader.read()
        without = request.method == "HEAD" or length is None
        return status, b"" if without or length is None else await reader.readexactly(int(length[1]))
    finally:
        writer.transport.abort()


def _frame(message: object) -> bytes:
    """Return a text frame of a client, whose mask is zero."""
    data = _written(message)
    return b"\x81\xff" + len(data).to_bytes(8, "big") + bytes(4) + data


def _written(says: object) -> bytes:
    if isinstance(says, bytes):
        return says
    return (says if isinstance(says, str) else json.dumps(says)).encode("utf-8", "surrogatepass")


def reader(
    application: web.Application, seeds: tuple[bytes, ...], headers: Callable[[Asked], Mapping[str, str]]
) -> Callable[[bytes], int]:
    """Return what asks the application with each input, and returns the status of its answer.

    Each input comes from another machine, as a trusted proxy on this one says: none uses up what others may ask.
    """
    served = Served(application)
    machines = (str(ip_network("10.0.0.0/8")[number]) for number in count(1))

    def read(data: bytes) -> int:
        request = asked(data, seeds[len(data) % len(seeds)])
        return served.ask(request, {**headers(request), hdrs.X_FORWARDED_FOR: next(machines)})[0]

    return read
