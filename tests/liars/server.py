"""What the lying servers have in common: a TCP server that drops everybody whenever its story changes."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

L = TypeVar("L")

FLOOD_BYTES = 16_384
FLOOD_PAUSE_S = 0.005
"""Pause between two blocks of a flood, as of another machine: this one has its CPU in common with the door."""


class LyingServer(ABC, Generic[L]):
    """A server that lies as `lie` says; None: it is honest."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self.lie: L | None = None
        self.met = 0
        "connections since the story changed"
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen: at any port at first, later at the same."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and drop everybody."""
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def tell(self, lie: L | None) -> None:
        """Lie so from now on, to those who come; who is there is dropped, as if the program had been started again."""
        self.lie, self.met = lie, 0
        await self._drop()

    async def _drop(self) -> None:
        for task, writer in list(self._open.items()):
            writer.transport.abort()
            task.cancel()
        if self._open:
            await asyncio.wait(list(self._open))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        self.met += 1
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            del self._open[task]
            writer.transport.abort()

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client; the connection ends with this."""


async def flood(writer: asyncio.StreamWriter, with_: bytes) -> None:
    """Send this again and again until the client goes."""
    block = with_ * max(1, FLOOD_BYTES // len(with_))
    while True:
        writer.write(block)
        await writer.drain()
        await asyncio.sleep(FLOOD_PAUSE_S)


async def read_nothing(writer: asyncio.StreamWriter) -> None:
    """Take nothing more from the network, for ever: the client's buffers fill."""
    writer.transport.pause_reading()  # type: ignore[attr-defined] # a socket's transport can
    await asyncio.Event().wait()
