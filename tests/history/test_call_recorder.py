"""The call recorder: what it writes down, also when everything stops."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from intercom.facts import (
    Answered,
    CallBegan,
    CallIdentity,
    CutOff,
    DoorOpened,
    Ended,
    Pressed,
    PressedAgain,
    RangAgain,
    Unreached,
)
from intercom.history.call_log import CallLog, CallRecord
from intercom.history.call_recorder import CallRecorder
from intercom.history.journal import Journal

LIMIT_S = 120.0


def call(name: str) -> CallIdentity:
    return CallIdentity(name, "outbound", "/private/house")


class Book:
    """A recorder at a journal."""

    def __init__(self, log: CallLog) -> None:
        self.journal = Journal(self._failed)
        self.recorder = CallRecorder(log, stats=lambda _: None)
        self.journal.subscribe(self.recorder.take)

    def _failed(self, error: Exception) -> None:
        raise error

    def began(self, call: CallIdentity) -> None:
        self.journal.tell(CallBegan(call))

    def answered(self, call: CallIdentity) -> None:
        self.journal.tell(Answered(call))

    def ended(self, call: CallIdentity, cause: str, *, answered: bool = True) -> None:
        self.journal.tell(Ended(call, cause, answered))


@pytest.fixture
def log(tmp_path: Path) -> CallLog:
    return CallLog(tmp_path / "calls.db", keep_calls=10, keep_days=10)


def ring_and_answer(book: Book, name: str) -> CallIdentity:
    under_way = call(name)
    book.began(under_way)
    book.answered(under_way)
    return under_way


def test_a_call_of_the_house_is_written_with_the_name_of_whoever_answered(log: CallLog) -> None:
    async def one() -> list[CallRecord]:
        book = Book(log)
        book.began(call("a"))
        book.answered(replace(call("a"), name="Kitchen"))
        book.ended(call("a"), "NORMAL_CLEARING")
        await book.recorder.stop()
        return log.calls(5)

    (record,) = asyncio.run(one())
    assert (record.name, record.address) == ("Kitchen", "/private/house")


def test_the_call_that_a_stop_ends_is_written_though_every_other_worker_hangs(log: CallLog) -> None:
    """A camera or a card that does not let go holds the event loop's pool of threads, and the stop has its limit."""
    let_go = threading.Event()

    async def stop() -> list[CallRecord]:
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            pool.submit(let_go.wait, LIMIT_S)
            try:
                book = Book(log)
                ring_and_answer(book, "a")
                await asyncio.wait_for(book.recorder.stop(), LIMIT_S / 2)
            finally:
                let_go.set()
        return log.calls(5)

    (record,) = asyncio.run(stop())
    assert (record.outcome, record.end_cause) == ("answered", "NORMAL_CLEARING")


def test_a_call_that_closes_while_the_next_begins_is_written_as_well(log: CallLog) -> None:
    async def two() -> list[CallRecord]:
        book = Book(log)
        first, second = call("a"), call("b")
        book.began(first)
        book.began(second)
        book.ended(first, "ORIGINATOR_CANCEL", answered=False)
        assert book.recorder.call is not None
        assert book.recorder.call.call == second
        book.ended(second, "NO_ANSWER", answered=False)
        assert book.recorder.call is None
        await book.recorder.stop()
        return log.calls(5)

    assert {record.id for record in asyncio.run(two())} == {"a", "b"}


def test_a_press_that_rings_again_is_one_call_in_the_log(log: CallLog) -> None:
    async def again() -> list[CallRecord]:
        book = Book(log)
        first, second = call("a"), call("b")
        book.began(first)
        book.journal.tell(RangAgain("a", second))
        book.answered(second)
        book.ended(second, "NORMAL_CLEARING")
        await book.recorder.stop()
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
        book = Book(log)
        book.ended(ring_and_answer(book, "a"), "NORMAL_CLEARING")
        ring_and_answer(book, "b")
        stopping = asyncio.ensure_future(book.recorder.stop())
        await asyncio.sleep(0)
        stopping.cancel()

    asyncio.run(stop())
    log.ready.set()
    for _ in "ab":
        assert log.written.acquire(timeout=LIMIT_S)
    assert [record.id for record in log.calls(5)] == ["b", "a"]


def test_who_asks_for_the_last_calls_sees_those_too_that_wait_for_a_slow_disk(tmp_path: Path) -> None:
    log = SlowDisk(tmp_path / "calls.db")

    async def ask() -> list[CallRecord]:
        book = Book(log)
        for name in "ab":
            book.ended(ring_and_answer(book, name), "NORMAL_CLEARING")
        asking = asyncio.ensure_future(book.recorder.calls(5))
        await asyncio.wait([asking], timeout=0.05)
        log.ready.set()
        return await asking

    assert [record.id for record in asyncio.run(ask())] == ["b", "a"]


def test_a_call_that_is_written_at_the_stop_is_not_written_again_when_it_ends(log: CallLog) -> None:
    async def stop() -> list[CallRecord]:
        book = Book(log)
        under_way = ring_and_answer(book, "a")
        book.recorder.stopping()
        book.ended(under_way, "NORMAL_CLEARING")
        await book.recorder.stop()
        return log.calls(5)

    assert len(asyncio.run(stop())) == 1


def test_who_opens_the_door_in_a_call_is_in_its_row_and_an_opening_outside_of_one_has_its_own(log: CallLog) -> None:
    async def open_twice() -> list[CallRecord]:
        book = Book(log)
        under_way = ring_and_answer(book, "a")
        book.journal.tell(DoorOpened("/private/house"))
        book.ended(under_way, "NORMAL_CLEARING")
        book.journal.tell(DoorOpened("pi"))
        await book.recorder.stop()
        return log.calls(5)

    rows = [(record.id, record.outcome, record.door_opened_by) for record in asyncio.run(open_twice())]
    assert rows == [("", "opened", "pi"), ("a", "answered", "/private/house")]


def test_twenty_presses_are_one_call_and_each_is_in_the_log(log: CallLog) -> None:
    async def press_twenty_times() -> list[CallRecord]:
        book = Book(log)
        book.journal.tell(Pressed("/private/house"))
        for _ in range(9):
            book.journal.tell(PressedAgain("the house rings already"))
        book.began(call("a"))
        for _ in range(10):
            book.journal.tell(PressedAgain("the house rings already"))
        book.ended(call("a"), "NO_ANSWER", answered=False)
        book.journal.tell(Pressed("/private/house"))
        book.began(call("b"))
        book.ended(call("b"), "NO_ANSWER", answered=False)
        await book.recorder.stop()
        return log.calls(5)

    assert [(record.id, record.presses) for record in asyncio.run(press_twenty_times())] == [("b", 1), ("a", 20)]


def test_a_press_that_reached_nobody_and_one_that_a_restart_cut_off_are_in_the_log(log: CallLog) -> None:
    async def lose_both() -> list[CallRecord]:
        book = Book(log)
        book.journal.tell(Unreached("/private/house", "NORMAL_TEMPORARY_FAILURE", 2))
        book.journal.tell(CutOff("/private/house", "2026-11-28T03:00:00+00:00", answered=True, presses=3))
        await book.recorder.stop()
        return log.calls(5)

    cut_off, unreached = asyncio.run(lose_both())
    assert (unreached.outcome, unreached.presses) == ("failed", 2)
    assert (cut_off.outcome, cut_off.presses, cut_off.began_at) == ("answered", 3, "2026-11-28T03:00:00+00:00")


def test_a_ringing_that_ended_because_somebody_opened_the_door_says_so(log: CallLog) -> None:
    async def open_while_it_rings() -> list[CallRecord]:
        book = Book(log)
        book.began(call("a"))
        book.journal.tell(DoorOpened("ssh anna"))
        book.ended(call("a"), "PICKED_OFF", answered=False)
        await book.recorder.stop()
        return log.calls(5)

    rows = [(record.id, record.outcome, record.door_opened_by) for record in asyncio.run(open_while_it_rings())]
    assert rows == [("a", "opened", "ssh anna")]
