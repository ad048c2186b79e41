"""Send the messages to the house's space, which shows them to everybody; what it has, the door deletes.

A message travels in pieces, each a request of its own, so that an outage or a restart costs one piece.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol, runtime_checkable

from intercom.facts import MessageLeft, RegistrationChanged
from intercom.history.journal import Entry
from intercom.message_files import PIECE_BYTES, KeptMessage, MessageFiles
from intercom.signalwire import SignalWireError

logger = logging.getLogger(__name__)

RETRY_S = 300.0
"""Interval between attempts while a message is left; a registration hurries it."""
_NOT_THIS_ONE = (409, 413, 422)
"""Answers that concern one message: another may be taken."""


@runtime_checkable
class Space(Protocol):
    """The space's own API, asked as this door."""

    async def ask(self, method: str, path: str, *, data: bytes = b"") -> Any:
        """Ask it; raises SignalWireError, with a `status` where it answered."""


class Delivery:
    """Sends each message that is kept here. Belongs to the event loop.

    :param credentials: the door's; with those of a service that is no space, the messages stay here.
    """

    def __init__(self, files: MessageFiles, credentials: object, *, retry_s: float = RETRY_S) -> None:
        self._files = files
        self._space = credentials if isinstance(credentials, Space) else None
        self._retry_s = retry_s
        self._due = asyncio.Event()
        self._complained = False

    @property
    def sends(self) -> bool:
        """Whether there is a space that takes the messages."""
        return self._space is not None

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal: there is a message, or the space is back."""
        match entry.fact:
            case MessageLeft() | RegistrationChanged(registered=True):
                self._due.set()
            case _:
                pass

    async def run(self) -> None:
        """Send what there is to send, for ever; return at once where there is no space."""
        while self._space is not None:
            self._due.clear()
            all_sent = await self._send_all(self._space)
            try:
                async with asyncio.timeout(None if all_sent else self._retry_s):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def _send_all(self, space: Space) -> bool:
        """Send the messages, the oldest first; return whether none is left."""
        messages = await asyncio.to_thread(self._files.all)
        left = 0
        for message in messages:
            try:
                await self._send(space, message)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except (SignalWireError, OSError) as error:
                left += 1
                level = logging.DEBUG if self._complained else logging.WARNING
                logger.log(level, "A visitor's message stays at the door until the space takes it: %s", error)
                self._complained = True
                if getattr(error, "status", 0) not in _NOT_THIS_ONE:
                    return False
        self._complained = bool(left)
        return not left

    async def _send(self, space: Space, message: KeptMessage) -> None:
        about = f"began_at={message.began_at}&seconds={message.seconds}&bytes={message.bytes}"
        path = f"/api/space/messages/{message.id}?{about}"
        have, data = -1, b""
        while have < message.bytes:
            answer = await space.ask("POST", f"{path}&at={max(0, have)}", data=data)
            told = answer.get("have") if isinstance(answer, dict) else None
            if not isinstance(told, int) or not max(0, have) <= told <= message.bytes or (data and told == have):
                raise OSError(f"the space does not say how much it has of {message.id}")
            have = told
            data = await asyncio.to_thread(_piece, message, have)
        await asyncio.to_thread(self._files.remove, message)
        logger.info("The space has a visitor's message of %d s", message.seconds)


def _piece(message: KeptMessage, at: int) -> bytes:
    with message.path.open("rb") as file:
        file.seek(at)
        return file.read(PIECE_BYTES)
