"""Ends a subscriber's open relays through coturn's console, a text protocol on loopback behind a password.

coturn looks at a password only when a relay is opened; what is open is refreshed without it for ever.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

ANSWER_LIMIT_S: Final = 2.0
"""Time limit of an answer; it takes milliseconds."""
_PROMPT: Final = b"> "
_SESSION: Final = re.compile(rb"id=(\d{1,20}), user <(?:\d+:)?([^>]*)>")


class TurnConsole:
    """The console at a port of this machine.

    Its methods raise `OSError` when it does not answer.
    """

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self.password = password

    async def end_relays(self, subscriber_id: str) -> int:
        """End all relays of a subscriber; return how many there were."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return await self._end_relays(subscriber_id)
        except (TimeoutError, EOFError, asyncio.LimitOverrunError) as problem:
            raise OSError(f"coturn's console does not answer: {type(problem).__name__}") from problem

    async def _end_relays(self, subscriber_id: str) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await reader.readuntil(b"password: ")
            await _ask(reader, writer, self.password)
            # Each line of an answer may hold no prompt but the last: coturn pauses for no key.
            listed = await _ask(reader, writer, f"psp {subscriber_id}")
            found = [number for number, user in _SESSION.findall(listed) if user.decode() == subscriber_id]
            for number in found:
                await _ask(reader, writer, f"cs {number.decode()}")
            return len(found)
        finally:
            writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str) -> bytes:
    writer.write(f"{line}\r\n".encode())
    return await reader.readuntil(_PROMPT)
