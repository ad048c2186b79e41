"""The visitors' list off the event loop: what the house tells reaches the disk, also as the space stops."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from intercom.config import HistoryConfig
from intercom.space.switch.address_book import AddressBook
from intercom.space.switch.call_control import CallControl
from intercom.space.switch.calls.calls import Party
from intercom.space.visitors.book import Book
from intercom.space.visitors.visitors import Visitors

LIMIT_S = 60.0


async def test_a_visitor_of_the_moment_in_which_the_space_stops_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "visitors.sqlite3"
    nobody = SimpleNamespace(ringing_at=lambda _address: None)
    control = CallControl(cast(AddressBook, nobody), list, wall=time.time)
    visitors = Visitors(file, HistoryConfig(), control, wall=time.time, tell=lambda _event, _told: None)
    read = threading.Event()
    visitors._thread.submit(read.wait, LIMIT_S)  # a page reads the list, and the visit waits for that
    control.bell.rings.called("door/1", Party("/private/door", "Front door"), frozenset())
    control.bell.rings.given_up("door/1")
    async with asyncio.timeout(LIMIT_S):
        while visitors._waiting:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(visitors.stop())
        for _ in range(20):
            await asyncio.sleep(0)
        read.set()
        await stopping
    (kept,) = Book(file, HistoryConfig()).page(before=None, limit=9, seen=0).visits
    assert (kept.visit.ring, kept.visit.state) == ("door/1", "given_up")
