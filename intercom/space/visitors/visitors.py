"""Keeps the visitors' list of the house from its rings, off the event loop: a full disk costs visits, never a ring."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from intercom.config import HistoryConfig
from intercom.space.errors import StoreError
from intercom.space.switch.call_control import CallControl
from intercom.space.switch.rings.ring import Ring
from intercom.space.visitors.book import Book
from intercom.space.visitors.visit import Change, LateVisit, Page, Picture, Visit, Written, described, visit_of
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

VISITORS: Final = "visitors.sqlite3"
"""Name of the file in the state directory."""
BEGUN_AFTER_S: Final = 1.0
"""Delay of the first write of a visit: while the pages get their invites, the machine is left to the ring."""
WAITING_LIMIT: Final = 64
"""Limit of changes that wait for a full or read-only disk, and are then written with the next one."""
TIDY_S: Final = 6 * 3600.0
"""Interval at which visits that have become too old are deleted; their age is configured in days."""
TOLD_LIMIT: Final = 32
"""Limit of visits that one event names; beyond it the pages read the list anew."""
JPEG: Final = b"\xff\xd8\xff"
"""First bytes of every JPEG."""

EVENT: Final = "intercom.visitors"
"""Type of the event that tells the open pages of residents what changed: `{visitors, gone}`, or `{anew: true}`."""

T = TypeVar("T")


class Visitors:
    """The visitors' list.

    :param path: its file.
    :param history: what may be kept.
    :param control: whose rings, and pictures of presses, it follows.
    :param wall: the time of day, seconds since 1970.
    :param tell: tells the open pages of residents an event about the list.
    """

    def __init__(
        self,
        path: Path,
        history: HistoryConfig,
        control: CallControl,
        *,
        wall: Callable[[], float],
        tell: Callable[[str, dict[str, Any]], object],
    ) -> None:
        self.keeps = history.keep_calls > 0
        "Whether visits are kept at all."
        self._shows = history.snapshots
        self._wall = wall
        self._tell = tell
        self._book = Book(path, history)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="visitors")
        self._tasks = TaskSet()
        self._writing = TaskSet()
        self._waiting: list[Change] = []
        self._was_well = True
        self.deleted: Callable[[list[str]], object] = lambda rings: None
        "Function called with the ids of the rings whose visits were deleted, by somebody or by their age and number."
        control.bell.rings.subscribe(self._changed)
        control.bell.unheard.told = self._unheard
        control.views.pictured = self._pictured

    def start(self) -> None:
        """Tidy up now and from time to time."""
        self._tasks.spawn(self._tidy(), name="visitors' tidying")

    async def stop(self) -> None:
        """Write down what waits, and close the file."""
        self._tasks.cancel()
        await self._writing.finish()
        await self._write()
        self._waiting.clear()
        await self._off_loop(self._book.close)
        self._thread.shutdown(wait=False)

    # -- what the house tells ----------------------------------------------------------------------------------

    def _changed(self, ring: Ring) -> None:
        self._take(visit_of(ring), after_s=BEGUN_AFTER_S if ring.ending is None else 0.0)

    def _unheard(self, ring: Ring) -> None:
        """Take a press of which the house heard no call."""
        self._take(LateVisit(visit_of(ring)), after_s=0.0)

    def _pictured(self, ring_id: str, jpeg: str) -> None:
        """Take the picture of a press, in base64."""
        if not self._shows:
            return
        try:
            picture = base64.b64decode(jpeg, validate=True)
        except binascii.Error:
            return
        if picture.startswith(JPEG):
            self._take(Picture(ring_id, picture), after_s=BEGUN_AFTER_S)

    def left_a_message(self, visit: Visit) -> None:
        """Take a visit whose message has come; a house that was away as the visitor rang knows of neither."""
        self._take(LateVisit(visit), after_s=0.0)

    def _take(self, change: Change, *, after_s: float) -> None:
        if not self.keeps:
            return
        self._waiting.append(change)
        del self._waiting[:-WAITING_LIMIT]
        asyncio.get_running_loop().call_later(after_s, self._begin_write)

    # -- what the pages ask for --------------------------------------------------------------------------------

    async def page(self, *, before: int | None, limit: int, seen: int) -> Page:
        """Return up to `limit` visits of numbers below `before`, the newest first, and what is missed since `seen`."""
        return await self._off_loop(partial(self._book.page, before=before, limit=limit, seen=seen))

    async def picture(self, number: int) -> bytes | None:
        """Return the picture of a visit; None where none is kept."""
        return await self._off_loop(partial(self._book.picture, number))

    async def delete(self, number: int) -> bool:
        """Delete a visit with its picture, and tell the pages; return whether there was one."""
        rings = await self._off_loop(partial(self._book.delete, number))
        if rings:
            self.deleted(rings)
            self._told(Written([], [number]))
        return bool(rings)

    async def delete_until(self, number: int) -> int:
        """Delete the visits up to this number with their pictures, and tell the pages; return how many there were."""
        rings = await self._off_loop(partial(self._book.delete_until, number))
        if rings:
            self.deleted(rings)
            self._tell(EVENT, {"anew": True})
        return len(rings)

    # -- the file ------------------------------------------------------------------------------------------------

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begin_write(self) -> None:
        if self._waiting and not len(self._writing):
            self._writing.spawn(self._write(), name="visitors' writing")

    async def _write(self) -> None:
        """Write down what waits; what cannot be written waits for the next visit."""
        while self._waiting:
            changes, self._waiting = self._waiting, []
            try:
                written = await self._off_loop(partial(self._book.write, changes, self._wall()))
            except StoreError as problem:
                self._waiting = [*changes, *self._waiting][-WAITING_LIMIT:]
                level = logging.WARNING if self._was_well else logging.DEBUG
                logger.log(level, "Visits are not written down: %s", problem)
                self._was_well = False
                return
            self._was_well = True
            self._told(written)

    async def _tidy(self) -> None:
        work = self._book.begin
        while True:
            try:
                self._told(await self._off_loop(partial(work, self._wall())))
            except StoreError as problem:
                logger.warning("Old visits are not deleted: %s", problem)
            work = self._book.tidy
            await asyncio.sleep(TIDY_S)

    def _told(self, written: Written) -> None:
        if written.forgotten:
            self.deleted(written.forgotten)
        if len(written.visits) + len(written.gone) > TOLD_LIMIT:
            self._tell(EVENT, {"anew": True})
        elif written.visits or written.gone:
            self._tell(EVENT, {"visitors": [described(kept) for kept in written.visits], "gone": written.gone})
