"""Keep the visitors' messages of the house: tell its devices of each, and forget old ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from intercom.config import HistoryConfig
from intercom.message_files import KeptMessage, MessageFiles
from intercom.space.push.notices import Notice
from intercom.space.push.pushes import Pushes
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store
from intercom.space.visitors.visit import Visit
from intercom.space.visitors.visitors import Visitors
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

DIRECTORY: Final = "messages"
"""Name of the directory in the state directory."""
FORGET_S: Final = 6 * 3600.0
"""Interval at which messages that have become too old are deleted; their age is configured in days."""
PUSH_TTL_S: Final = 24 * 3600
"""Time for which a push service keeps the news for a phone that is off."""
PUSH_PATIENCE_S: Final = 60.0
"""Time limit for handing the news to a push service."""
MEGABYTE: Final = 1_000_000
EVENT: Final = "intercom.messages"
"""Type of the event that tells the open pages of residents that messages came or went."""


class Messages:
    """The messages. Each belongs to a visit of the visitors' list, and goes with it.

    :param group: the group of the house's members.
    :param tell: tells the open pages of residents an event.
    """

    def __init__(
        self,
        state_dir: Path,
        history: HistoryConfig,
        *,
        store: Store,
        pushes: Pushes,
        visitors: Visitors,
        group: str,
        tell: Callable[[str, dict[str, Any]], object],
        wall: Callable[[], float],
    ) -> None:
        self.wanted = history.messages and visitors.keeps
        "Whether the house keeps messages: it shows them with their visits."
        self.files = MessageFiles(
            state_dir / DIRECTORY,
            keep_days=history.keep_days,
            most_bytes=history.messages_mb * MEGABYTE,
            now=wall,
        )
        "The messages, on the disk."
        self._store = store
        self._pushes = pushes
        self._visitors = visitors
        self._address = f"/private/{group}"
        self._tell = tell
        self._tasks = TaskSet()
        visitors.deleted = self._visits_deleted

    def start(self) -> None:
        """Forget old messages now and from time to time."""
        self._tasks.spawn(self._forget(), name="forgetting messages")

    async def stop(self) -> None:
        """Stop."""
        await self._tasks.stop()

    def arrived(self, message: KeptMessage, door: Subscriber) -> None:
        """Tell the house of a new message: its pages, and the phones whose page is closed."""
        ring, began_at = ring_of(message), float(message.began_at)
        address = f"/private/{door.reference}"
        self._visitors.left_a_message(
            Visit(ring, door.display_name, address, "", began_at, state="missed", ended_at=began_at)
        )
        self._tell(EVENT, {"left": described(message)})
        notice = Notice("message", ring, began_at, door.display_name)
        members = self._store.ringing_at(self._address) or ()
        for phone in self._store.subscriptions.of_subscribers(members):
            self._pushes.send(phone, notice, ttl_s=PUSH_TTL_S, patience_s=PUSH_PATIENCE_S)

    async def delete(self, message: KeptMessage) -> None:
        """Delete a message, and tell the pages."""
        await asyncio.to_thread(self.files.remove, message)
        self._tell(EVENT, {"gone": [ring_of(message)]})

    def _visits_deleted(self, rings: list[str]) -> None:
        self._tasks.spawn(self._delete_with(frozenset(rings)), name="deleting messages")

    async def _delete_with(self, rings: frozenset[str]) -> None:
        """Delete the messages that followed these rings."""
        for message in await asyncio.to_thread(self.files.all):
            if ring_of(message) in rings:
                await self.delete(message)

    async def _forget(self) -> None:
        forget = self.files.forget if self._visitors.keeps else self.files.remove_all
        while True:
            try:
                await asyncio.to_thread(forget)
            except OSError as problem:
                logger.warning("Old messages of visitors are not deleted: %s", problem)
            await asyncio.sleep(FORGET_S)


def ring_of(message: KeptMessage) -> str:
    """Return the id of the ring that a message follows."""
    return f"{message.door}/{message.id}"


def described(message: KeptMessage) -> dict[str, Any]:
    """Return a message as the page reads it."""
    return {
        "id": message.id,
        "door": message.door,
        "ring": ring_of(message),
        "began_at": message.began_at,
        "seconds": message.seconds,
        "bytes": message.bytes,
    }
