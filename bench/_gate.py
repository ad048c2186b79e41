"""A door in front of a service: closed, nobody gets through and whoever was inside is thrown out."""

from __future__ import annotations

import asyncio
import contextlib

from intercom.tasks import TaskSet


class Gate:
    """Passes TCP connections on to a port of this machine while it is open.

    :param target_port: where the service listens, on loopback.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks = TaskSet()
        self.port = 0

    async def open(self) -> None:
        """Let everybody in; the port stays the same."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Break every connection off as a dying service would, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for stream in list(self._streams):
            stream.transport.abort()
        await self._tasks.finish()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        streams = {writer, inner_writer}
        self._streams |= streams
        for source, sink in (reader, inner_writer), (inner_reader, writer):
            task = self._tasks.spawn(self._pump(source, sink))
            task.add_done_callback(lambda _: self._streams.difference_update(streams))

    @staticmethod
    async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
