"""A receiver of webhooks that lies: an HTTP server by hand, as no library would answer so."""

from __future__ import annotations

import asyncio
import enum
import json
import re
from collections import deque
from typing import Any

from tests.liars.server import LyingServer, flood, read_nothing

TAKEN, FAILED = b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
KEPT = 1000
DRIP_S = 0.7
"""Interval of the bytes: an answer takes longer than anybody waits, and its client is never long without news."""


class ReceiverLie(enum.StrEnum):
    """How it lies."""

    HANGS = "never answers"
    FAILS = "answers 500"
    ALTERNATES = "takes every other delivery"
    CLOSES = "closes without an answer"
    DRIPS = "answers byte by byte"
    REDIRECTS = "redirects to itself"
    DEAF = "never reads"
    BABBLES = "sends headers without end"
    PROMISES = "says 100 Continue without end"
    TALKS = "sends a body without end"
    RUBBISH = "does not speak HTTP"


class LyingReceiver(LyingServer[ReceiverLie]):
    """The receiver; `taken` is what it took while it was honest, or lied by half."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.taken: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.asked = 0
        "requests that it read, since its start"

    @property
    def url(self) -> str:
        """Where the door sends."""
        return f"http://{self.host}:{self.port}/hook"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.lie is ReceiverLie.DEAF:
            await read_nothing(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self.asked += 1
        await self._answer(json.loads(body), writer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _answer(self, content: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match self.lie:
            case None:
                self.taken.append(content)
                writer.write(TAKEN)
            case ReceiverLie.FAILS:
                writer.write(FAILED)
            case ReceiverLie.ALTERNATES if self.asked % 2:
                writer.write(FAILED)
            case ReceiverLie.ALTERNATES:
                self.taken.append(content)
                writer.write(TAKEN)
            case ReceiverLie.HANGS:
                await asyncio.Event().wait()
            case ReceiverLie.DRIPS:
                for place in range(len(TAKEN)):
                    writer.write(TAKEN[place : place + 1])
                    await asyncio.sleep(DRIP_S)
            case ReceiverLie.REDIRECTS:
                writer.write(f"HTTP/1.1 307 Elsewhere\r\nLocation: {self.url}\r\nContent-Length: 0\r\n\r\n".encode())
            case ReceiverLie.BABBLES:
                writer.write(b"HTTP/1.1 200 OK\r\n")
                await flood(writer, b"X-More: and more\r\n")
            case ReceiverLie.PROMISES:
                await flood(writer, b"HTTP/1.1 100 Continue\r\n\r\n")
            case ReceiverLie.TALKS:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                await flood(writer, b"1\r\nx\r\n")
            case ReceiverLie.RUBBISH:
                writer.write(bytes(range(256)) * 8)
