"""Those who watch a door by RTSP, in a process of their own: what they cost is not measured."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.connection import Connection

from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.pace import STUCK_S
from tests.integrations.rtsp.client import RawClient

WELL, SLOW, STUCK = "well", "slow", "stuck"
"""Kinds of viewer: one that takes all, one that takes some kilobytes a second, one that takes nothing."""
SLOW_BYTES, SLOW_S = 1024, 0.1


@asynccontextmanager
async def rtsp_viewers(port: int, account: Account, kinds: Sequence[str], path: str = "door") -> AsyncIterator[None]:
    """Let so many watch, until the context ends."""
    ours, theirs = multiprocessing.Pipe()
    arguments = (theirs, port, account, tuple(kinds), path)
    watching = multiprocessing.get_context("spawn").Process(target=_watch, args=arguments, daemon=True)
    watching.start()
    theirs.close()  # so that its end is heard here
    try:
        await asyncio.to_thread(ours.recv)
        yield
    finally:
        watching.terminate()


def _watch(pipe: Connection, port: int, account: Account, kinds: Sequence[str], path: str) -> None:
    """Be these viewers, until killed."""

    async def watch() -> None:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(RawClient(port, account)) for _ in kinds]
            for client, kind in zip(clients, kinds, strict=True):
                if kind != WELL:
                    opened: socket.socket = client.writer.get_extra_info("socket")
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                await client.watch(path)
            pipe.send("all watch")
            takes = [_take(client, kind) for client, kind in zip(clients, kinds, strict=True) if kind != STUCK]
            await asyncio.gather(*takes, *(_stick(port, account, path) for kind in kinds if kind == STUCK))

    asyncio.run(watch())


async def _take(client: RawClient, kind: str) -> None:
    """Take what comes, fast or slowly, until the door lets go."""
    with contextlib.suppress(ConnectionError):
        while await client.reader.read(SLOW_BYTES if kind == SLOW else 65_536):
            await asyncio.sleep(SLOW_S if kind == SLOW else 0)


async def _stick(port: int, account: Account, path: str) -> None:
    """Take nothing, and come again each time that the door has let go."""
    while True:
        await asyncio.sleep(STUCK_S + 1)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, AssertionError):
            async with RawClient(port, account) as client:
                await client.watch(path)
                await asyncio.sleep(STUCK_S + 1)
