"""The logbook: what it writes down when everything stops."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from intercom.history.call_log import CallLog, CallRecord
from intercom.history.journal import Logbook
from intercom.signalwire import WebRTCCall

LIMIT_S = 30.0


def call(name: str) -> WebRTCCall:
    fields = {"id": name, "direction": "outbound", "to": "/private/house", "to_name": "", "end_cause": None}
    return cast(WebRTCCall, SimpleNamespace(**fields))


@pytest.fixture
def log(tmp_path: Path) -> CallLog:
    return CallLog(tmp_path / "calls.db", keep_calls=10, keep_days=10)


def ring_and_answer(book: Logbook, name: str) -> WebRTCCall:
    under_way = call(name)
    book.began(under_way)
    book.answered(under_way)
    return under_way


def test_the_call_that_a_stop_ends_is_written_though_every_other_worker_hangs(log: CallLog) -> None:
    """A camera or a card that does not let go holds the event loop's pool of threads, and the stop has its limit."""
    let_go = threading.Event()

    async def stop() -> list[CallRecord]:
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            pool.submit(let_go.wait, LIMIT_S)
            try:
                book = Logbook(log, stats=lambda _: None)
                ring_and_answer(book, "a")
                await asyncio.wait_for(book.stop(), LIMIT_S / 2)
            finally:
                let_go.set()
        return log.calls(5)

    (record,) = asyncio.run(stop())
    assert (record.outcome, record.end_cause) == ("answered", "NORMAL_CLEARING")


def test_a_call_that_closes_while_the_next_begins_is_written_as_well(log: CallLog) -> None:
    async def two() -> list[CallRecord]:
        book = Logbook(log, stats=lambda _: None)
        first, second = call("a"), call("b")
        book.began(first)
        book.began(second)
        book.ended(first, "ORIGINATOR_CANCEL")
        assert book.call is not None
        assert book.call.call is second
        book.ended(second, "NO_ANSWER")
        assert book.call is None
        await book.stop()
        return log.calls(5)

    assert {record.id for record in asyncio.run(two())} == {"a", "b"}


def test_a_press_that_rings_again_is_one_call_in_the_log(log: CallLog) -> None:
    async def again() -> list[CallRecord]:
        book = Logbook(log, stats=lambda _: None)
        first, second = call("a"), call("b")
        book.began(first)
        book.rang_again(first, second)
        book.answered(second)
        book.ended(second, "NORMAL_CLEARING")
        await book.stop()
        return log.calls(5)

    (record,) = asyncio.run(again())
    assert (record.id, record.outcome) == ("b", "answered")


class SlowDisk(CallLog):
    """Writes nothing before it is `ready`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, keep_calls=10, keep_days=10)
        self.ready = threading.Event()
        self.written = threading.Semaphore(0)

    def add(self, record: CallRecord, now: datetime) -> None:
        assert self.ready.wait(LIMIT_S)
        super().add(record, now)
        self.written.release()


def test_calls_are_written_though_the_stop_no_longer_waits_for_a_slow_disk(tmp_path: Path) -> None:
    log = SlowDisk(tmp_path / "calls.db")

    async def stop() -> None:
        book = Logbook(log, stats=lambda _: None)
        book.ended(ring_and_answer(book, "a"), "NORMAL_CLEARING")
        ring_and_answer(book, "b")
        stopping = asyncio.ensure_future(book.stop())
        await asyncio.sleep(0)
        stopping.cancel()

    asyncio.run(stop())
    log.ready.set()
    for _ in "ab":
        assert log.written.acquire(timeout=LIMIT_S)
    assert [record.id for record in log.calls(5)] == ["b", "a"]


def test_a_call_that_is_written_at_the_stop_is_not_written_again_when_it_ends(log: CallLog) -> None:
    async def stop() -> list[CallRecord]:
        book = Logbook(log, stats=lambda _: None)
        under_way = ring_and_answer(book, "a")
        book.stopping()
        book.ended(under_way, "NORMAL_CLEARING")
        await book.stop()
        return log.calls(5)

    assert len(asyncio.run(stop())) == 1
