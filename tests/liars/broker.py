"""An MQTT broker that lies. While it is honest it passes everything on to a real one, or is a small one itself."""

from __future__ import annotations

import asyncio
import enum
from collections import deque

from intercom.integrations.mqtt import wire
from intercom.integrations.mqtt.wire import Message
from tests.liars.server import LyingServer, flood, read_nothing

_CONNECT, _PUBLISH, _SUBSCRIBE, _PING, _DISCONNECT = 1, 3, 8, 12, 14
ACCEPTED, NOT_READY, ALIVE = b"\x20\x02\x00\x00", b"\x20\x02\x00\x03", b"\xd0\x00"
RUBBISH = bytes(range(255, 0, -1))
PROMISES_BYTES = b"\x30\xff\xff\xff\x7f"
"""The head of a message of 256 MB, the largest that MQTT knows."""
KEPT = 1000
PESTER_S = 0.02
"""Slow enough for a limit that only knows floods."""


class BrokerLie(enum.StrEnum):
    """How it lies."""

    SILENT = "accepts and never answers"
    REFUSES = "is never ready"
    CLOSES = "closes after any packet"
    FLAPS = "closes once it has the door"
    RUBBISH = "sends rubbish"
    HUGE = "sends a packet without end"
    FLOODS = "floods with commands"
    PESTERS = "sends fifty commands a second"
    DEAF = "stops reading"


class LyingBroker(LyingServer[BrokerLie]):
    """The broker; `behind` is the port of a real one on this machine, which it stands before."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, behind: int = 0, topics: str = "intercom/gate"
    ) -> None:
        super().__init__(host, port)
        self.heard: deque[tuple[str, bytes]] = deque(maxlen=KEPT)
        "what the door told a small honest broker"
        self._behind = behind
        # Commands of which a house notices nothing: what opens, rings or hangs up is for those who may do it.
        self._commands = b"".join(
            wire.publish(Message(f"{topics}/{entity}/set", payload))
            for entity, payload in (("lock", b"UNLOCK"), ("picture", b"PRESS"), ("nothing", b"x"))
        )

    @property
    def url(self) -> str:
        """Where the door finds it."""
        return f"mqtt://{self.host}:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.lie is None and self._behind:
            await _pass_on(reader, writer, self._behind)
            return
        while True:
            kind, body = await _packet(reader)
            if self.lie is BrokerLie.CLOSES or kind == _DISCONNECT:
                return
            if self.lie is BrokerLie.SILENT:
                continue
            if kind == _CONNECT:
                writer.write(NOT_READY if self.lie is BrokerLie.REFUSES else ACCEPTED)
            elif kind == _SUBSCRIBE:
                writer.write(_granted(body))
                await writer.drain()
                await self._after_the_welcome(writer)
                if self.lie is BrokerLie.FLAPS:
                    return
            elif kind == _PING:
                writer.write(ALIVE)
            elif kind == _PUBLISH:
                ends = 2 + int.from_bytes(body[:2], "big")
                self.heard.append((body[2:ends].decode(), body[ends:]))

    async def _after_the_welcome(self, writer: asyncio.StreamWriter) -> None:
        match self.lie:
            case BrokerLie.RUBBISH:
                writer.write(RUBBISH)
            case BrokerLie.HUGE:
                writer.write(PROMISES_BYTES)
                await flood(writer, b"x")
            case BrokerLie.FLOODS:
                await flood(writer, self._commands)
            case BrokerLie.PESTERS:
                while True:
                    writer.write(self._commands)
                    await writer.drain()
                    await asyncio.sleep(3 * PESTER_S)
            case BrokerLie.DEAF:
                await read_nothing(writer)


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the type and the body of the next packet."""
    head = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return head >> 4, await reader.readexactly(length)


def _granted(subscribe: bytes) -> bytes:
    """Return the answer that grants each topic of a subscription."""
    topics, place = 0, 2
    while place < len(subscribe):
        place += 2 + int.from_bytes(subscribe[place : place + 2], "big") + 1
        topics += 1
    return bytes([0x90, 2 + topics]) + subscribe[:2] + bytes(topics)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass everything on to a real broker until one of the two goes."""
    their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
    ways = [asyncio.create_task(_copy(reader, their_writer)), asyncio.create_task(_copy(their_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        their_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return  # one of the two has gone: that is the end
