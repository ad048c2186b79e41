"""Counts how much work something is, so that what grows faster than it should is seen without a clock.

Counted are Python's instructions and SQLite's: the same on each machine, however busy it is.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest


def instructions(work: Callable[[], object]) -> int:
    """Return how many of Python's instructions the work takes; what C does for one of them counts as that one."""
    count = 0

    def step(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        _nothing()  # Python 3.12 looks for `f_trace_opcodes` only when a tracer is set after its first use
        sys.settrace(step)
        count = 0
        work()
    finally:
        sys.settrace(before)
    return count


def _nothing() -> None:
    """Be traced."""


class Database:
    """Counts the instructions and queries of every SQLite connection that is opened meanwhile."""

    def __init__(self) -> None:
        self.instructions = 0
        self._queries: list[str] = []

    def count(self) -> int:
        """Take one more."""
        self.instructions += 1
        return 0

    def of(self, work: Callable[[], object]) -> int:
        """Return how many the work takes."""
        before = self.instructions
        work()
        return self.instructions - before

    def asked(self, query: str) -> None:
        """Note a query."""
        self._queries.append(query)

    def queries_of(self, work: Callable[[], object]) -> list[str]:
        """Return the queries that the work asks, with their values in them."""
        before = len(self._queries)
        work()
        return self._queries[before:]


@contextmanager
def counted_databases() -> Iterator[Database]:
    """Count what SQLite does on the connections that are opened until the context ends."""
    database, connect = Database(), sqlite3.connect

    def counted(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_progress_handler(database.count, 1)
        connection.set_trace_callback(database.asked)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", counted)
        yield database
