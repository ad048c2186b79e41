"""The commands for the messages that are kept at the door: list them, fetch one, delete one."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from intercom.control.commands import Asker
from intercom.control.errors import RefusedError
from intercom.control.protocol import REFUSED
from intercom.door.command_parameters import MessageOf, MessagePiece, Nothing
from intercom.message_files import PIECE_BYTES, KeptMessage, MessageFiles

logger = logging.getLogger(__name__)


class MessageCommands:
    """Answers the commands from the files."""

    def __init__(self, files: MessageFiles) -> None:
        self._files = files

    def handlers(self) -> dict[str, Callable[[Asker, Any], Awaitable[Any]]]:
        """Return the function that carries out each command."""
        return {"messages": self._list, "messages.get": self._get, "messages.delete": self._delete}

    async def _list(self, _: Asker, __: Nothing) -> list[dict[str, Any]]:
        return [_described(message) for message in reversed(await asyncio.to_thread(self._files.all))]

    async def _get(self, _: Asker, asked: MessagePiece) -> dict[str, Any]:
        """Return a piece of a message: a whole one is longer than an answer may be."""
        message = await self._found(asked.id)
        try:
            data = await asyncio.to_thread(_piece, message, asked.at)
        except OSError as error:
            raise RefusedError(f"the message cannot be read: {error}", REFUSED) from error
        return {**_described(message), "data": base64.b64encode(data).decode()}

    async def _delete(self, caller: Asker, asked: MessageOf) -> dict[str, Any]:
        message = await self._found(asked.id)
        logger.info("%s deletes a visitor's message", asked.by or caller.name)
        await asyncio.to_thread(self._files.remove, message)
        return {"deleted": message.id}

    async def _found(self, message_id: str) -> KeptMessage:
        message = await asyncio.to_thread(self._files.get, message_id)
        if message is None:
            raise RefusedError("there is no such message at the door; `intercom messages` lists them", REFUSED)
        return message


def _described(message: KeptMessage) -> dict[str, Any]:
    began_at = datetime.fromtimestamp(message.began_at, UTC).isoformat(timespec="seconds")
    return {"id": message.id, "began_at": began_at, "seconds": message.seconds, "bytes": message.bytes}


def _piece(message: KeptMessage, at: int) -> bytes:
    with message.path.open("rb") as file:
        file.seek(at)
        return file.read(PIECE_BYTES)
