"""How the costs of the door's call log and of the house's visitors' list grow with their rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import structs

from bench._scale_space import curves
from bench.curve import Curve
from bench.report import percentile
from intercom.config import HistoryConfig
from intercom.history.call_log import CallLog, CallRecord
from intercom.space.visitors.book import Book
from intercom.space.visitors.visit import Visit
from tests.growth import counted_databases

SIZES = (1_000, 10_000, 100_000, 1_000_000)
TIMES = 20
PAGE = 20
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CALL = CallRecord(
    id="6f0c1a5e-0d7b-4b52-9c39-0e8d3f6a1b2c",
    began_at=NOW.isoformat(),
    direction="outbound",
    address="/private/house",
    name="House",
    outcome="answered",
    end_cause="NORMAL_CLEARING",
    answered_after_s=3.0,
    talked_s=12.5,
    mos=4.4,
    loss_percent=0.1,
    door_opened_by="/private/anna",
    presses=1,
)
VISIT = Visit(f"door/{CALL.id}", "Front door", "/private/door", "", NOW.timestamp(), "missed", ended_at=NOW.timestamp())
T = TypeVar("T")
MANY_TIMES = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "


def call_log(directory: Path) -> list[Curve]:
    """Measure call logs that are full: each call more drives the oldest out."""
    return curves("rows of the call log", SIZES, [_log_of(directory / f"calls-{size}.db", size) for size in SIZES])


def visitors(directory: Path) -> list[Curve]:
    """Measure visitors' lists that are full."""
    points = [_book_of(directory / f"visitors-{size}.sqlite3", size) for size in SIZES]
    return curves("rows of the visitors' list", SIZES, points)


def _log_of(path: Path, size: int) -> dict[str, float]:
    def log() -> CallLog:
        return CallLog(path, keep_calls=size, keep_days=3650)

    log().add(CALL, NOW)
    columns = ", ".join(field.name for field in fields(CALL))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            f"{MANY_TIMES} INSERT INTO calls ({columns}) SELECT {columns} FROM calls, n",
            (size - 1,),
        )
    deeds: dict[str, Callable[[CallLog], object]] = {
        "append": lambda log: log.add(replace(CALL, outcome="unanswered"), NOW),
        "page": lambda log: log.calls(PAGE),
        "forget": lambda log: log.forget(NOW),
    }
    return _costs(log, deeds) | {"file_mb": round(path.stat().st_size / 1e6, 2)}


def _book_of(path: Path, size: int) -> dict[str, float]:
    def book() -> Book:
        return Book(path, HistoryConfig(keep_calls=size, keep_days=3650))

    now, later = NOW.timestamp(), iter(range(size, size + 100 * TIMES))
    begun = structs.replace(VISIT, state="ringing", ended_at=None)
    book().write([begun, VISIT], now)
    with closing(sqlite3.connect(path)) as db, db:
        columns = "version, door, address, button, began_at, state, by, opened_by, ended_at, replies"
        db.execute(
            f"{MANY_TIMES} INSERT INTO visits (ring, {columns}) SELECT ring || n.i, {columns} FROM visits, n",
            (size - 1,),
        )
    deeds: dict[str, Callable[[Book], object]] = {
        "append": lambda book: book.write([structs.replace(begun, ring=f"door/{next(later)}")], now),
        "page": lambda book: book.page(before=None, limit=PAGE, seen=1),
        "deep_page": lambda book: book.page(before=size // 2, limit=PAGE, seen=1),
        "tidy": lambda book: book.tidy(now),
        "start": lambda book: book.begin(now),
    }
    return _costs(book, deeds) | {"file_mb": round(path.stat().st_size / 1e6, 2)}


def _costs(make: Callable[[], T], deeds: dict[str, Callable[[T], object]]) -> dict[str, float]:
    """Return for each deed SQLite's instructions, and the 95th percentile of its time."""
    costs: dict[str, float] = {}
    kept = make()
    with counted_databases() as database:
        counted = make()
        for name, deed in deeds.items():
            deed(counted)
            costs[f"{name}_steps"] = database.of(partial(deed, counted))
    for name, deed in deeds.items():
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            deed(kept)
            took.append((time.perf_counter() - began) * 1000)
        costs[f"{name}_p95_ms"] = round(percentile(took, 95), 2)
    return costs
