"""A receiver of webhooks: a real HTTP server that answers as a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

LIMIT_S = 60.0
"""Limit of every wait for what must come, however busy the machine is."""


class Received(NamedTuple):
    """What came."""

    body: bytes
    headers: dict[str, str]

    @property
    def content(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body)


class Receiver:
    """The receiver; `answer` makes its answers."""

    def __init__(self) -> None:
        self.url = ""
        self.received: asyncio.Queue[Received] = asyncio.Queue()
        self.statuses: list[int] = []
        "the statuses of the next answers; then 204"
        self.hangs = False
        self.over = asyncio.Event()

    async def next(self) -> Received:
        return await asyncio.wait_for(self.received.get(), LIMIT_S)

    async def take(self, request: web.Request) -> web.Response:
        self.received.put_nowait(Received(await request.read(), dict(request.headers)))
        if self.hangs:
            await self.over.wait()
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"Location": self.url + "/elsewhere"} if status == 302 else {})


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Serve a receiver on a port of this machine."""
    one = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", one.take)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield one
    finally:
        one.over.set()
        await runner.cleanup()
