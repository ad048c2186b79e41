"""Ends a subscriber's open relays through coturn's console, a text protocol on loopback behind a password.

coturn looks at a password only when a relay is opened; what is open is refreshed without it for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Final

ANSWER_LIMIT_S: Final = 5.0
"""Time limit of the answers to one command; they take milliseconds."""
_PROMPT: Final = b"> "
_SESSION: Final = re.compile(rb"id=(\d{1,20}), user <(?:\d+:)?([^>]*)>")


class TurnConsole:
    """The console at a port of this machine."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self.password = password

    async def answers(self) -> bool:
        """Return whether the console lets this password in."""
        try:
            async with self._opened():
                return True
        except OSError:
            return False

    async def end_relays(self, subscriber_id: str) -> int:
        """End all relays of a subscriber; return how many there were. Raises `OSError` when nothing answers."""
        async with self._opened() as (reader, writer):
            # Each line of an answer may hold no prompt but the last: coturn pauses for no key.
            listed = await _ask(reader, writer, f"psp {subscriber_id}")
            found = [number for number, user in _SESSION.findall(listed) if user.decode() == subscriber_id]
            for number in found:
                await _ask(reader, writer, f"cs {number.decode()}")
            return len(found)

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    await reader.readuntil(b"password: ")
                    await _ask(reader, writer, self.password)
                    yield reader, writer
                finally:
                    writer.close()
        except (TimeoutError, EOFError, asyncio.LimitOverrunError) as problem:
            raise OSError(f"coturn's console does not answer: {type(problem).__name__}") from problem


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str) -> bytes:
    writer.write(f"{line}\r\n".encode())
    return await reader.readuntil(_PROMPT)
