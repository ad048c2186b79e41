"""A push service on this machine that answers as a test tells it to: well, late, never, with nonsense."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Arrived:
    """A push that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """The service. `answers` are given in turn, then the push is accepted."""

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def authority(self) -> str:
        """Its place, for `space.push_servers`."""
        return f"127.0.0.1:{self.port}"

    def endpoint(self, name: str) -> str:
        """The endpoint of a subscription."""
        return f"http://{self.authority}/{name}"

    async def push(self, count: int, path: str = "") -> Arrived:
        """Wait for the push number `count`, of one subscription if `path` is given."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: len(self._of(path)) >= count), 60)
        return self._of(path)[count - 1]

    def _of(self, path: str) -> list[Arrived]:
        return [push for push in self.arrived if path in {"", push.path}]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take a push."""
        self.arrived.append(Arrived(request.path, dict(request.headers), await request.read()))
        async with self._changed:
            self._changed.notify_all()
        return await self.answers.pop(0)(request) if self.answers else web.Response(status=201)


def says(status: int, **headers: str) -> Answer:
    """Answer with a status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


async def never(_: web.Request) -> web.StreamResponse:
    """Answer nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Break the connection off."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@contextlib.asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """Run one."""
    service = PushService()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        await runner.cleanup()
