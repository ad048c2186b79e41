"""Keeps the visits in an SQLite file of their own, bounded by count and age.

The space's own database is copied into memory after each write, so that the switchboard never waits for a disk;
thousands of visits with their pictures are too large for that, and nobody waits for them. Everything here blocks for a
disk access: `Visitors` calls it in a thread of its own.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import structs

from intercom.config import HistoryConfig
from intercom.space.errors import StoreError
from intercom.space.switch.rings.ring import Reply
from intercom.space.visitors.visit import Change, KeptVisit, LateVisit, Page, Picture, Visit, Written

logger = logging.getLogger(__name__)

BUSY_S: Final = 5.0
"""Time limit for waiting on a locked file: whoever backs it up holds it for a moment."""
DAY_S: Final = 86_400.0

_STEPS: Final = (
    """
CREATE TABLE visits (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL,
  ring TEXT NOT NULL UNIQUE,
  door TEXT NOT NULL,
  address TEXT NOT NULL,
  button TEXT NOT NULL,
  began_at REAL NOT NULL,
  state TEXT NOT NULL,
  by TEXT NOT NULL,
  opened_by TEXT NOT NULL,
  ended_at REAL,
  missed INTEGER GENERATED ALWAYS AS (state IN ('missed', 'given_up', 'lost')) VIRTUAL
) STRICT;
CREATE INDEX visits_by_time ON visits (began_at);
CREATE INDEX visits_missed ON visits (version) WHERE missed;
CREATE TABLE pictures (
  number INTEGER PRIMARY KEY REFERENCES visits (number) ON DELETE CASCADE,
  jpeg BLOB NOT NULL
) STRICT;
CREATE TABLE changes (last INTEGER NOT NULL) STRICT;
INSERT INTO changes VALUES (0);
""",
    "ALTER TABLE visits ADD COLUMN replies TEXT NOT NULL DEFAULT '[]';",
    """
CREATE INDEX visits_ringing ON visits (number) WHERE state = 'ringing';
ALTER TABLE changes ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
UPDATE changes SET kept = (SELECT count(*) FROM visits);
CREATE TRIGGER visit_kept AFTER INSERT ON visits BEGIN UPDATE changes SET kept = kept + 1; END;
CREATE TRIGGER visit_gone AFTER DELETE ON visits BEGIN UPDATE changes SET kept = kept - 1; END;
""",
)
"""Steps that lead to the newest version of the tables, which SQLite keeps as `user_version`. The third lets SQLite keep
count of the visits: to count them anew for each page and each ring takes the longer, the more there are."""
VERSION: Final = len(_STEPS)
"""Newest version of the tables."""
_VISITS: Final = (
    "SELECT v.number, v.version, p.number IS NOT NULL, v.ring, v.door, v.address, v.button, v.began_at, v.state, v.by, "
    "v.opened_by, v.ended_at, v.replies FROM visits v LEFT JOIN pictures p ON p.number = v.number"
)
_NEWEST: Final = 2**63 - 1
"""Number above those of all visits."""
_INSERT: Final = (
    "INSERT INTO visits (version, ring, door, address, button, began_at, state, by, opened_by, ended_at, replies) "
    "VALUES (:version, :ring, :door, :address, :button, :began_at, :state, :by, :opened_by, :ended_at, :replies) "
)
_BEGIN: Final = (
    f"{_INSERT} ON CONFLICT (ring) DO UPDATE SET version = excluded.version, state = excluded.state, "
    "by = excluded.by, opened_by = excluded.opened_by, ended_at = excluded.ended_at, "
    "replies = iif(excluded.replies = '[]', replies, excluded.replies) RETURNING number"
)
"""A ring that is missed and rings again, also after a restart, is the same visit, and began when it began."""
_COME_LATE: Final = f"{_INSERT} ON CONFLICT (ring) DO NOTHING RETURNING number"
"""A visit that the house hears of by its message alone; one that it knows stays as it is."""
_CHANGE: Final = (
    "UPDATE visits SET version = :version, state = :state, by = :by, opened_by = :opened_by, ended_at = :ended_at, "
    "replies = iif(:replies = '[]', replies, :replies) WHERE ring = :ring RETURNING number"
)
"""A visit that was deleted while its call went on does not come back."""
_SHOW: Final = (
    "INSERT INTO pictures SELECT number, :jpeg FROM visits WHERE ring = :ring "
    "ON CONFLICT (number) DO NOTHING RETURNING number"
)
"""The first picture shows the visitor as they pressed; a call that is tried again brings a later one."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""SQLite's error codes for a damaged file."""

T = TypeVar("T")


class Book:
    """The file of the visits. One thread uses it.

    :param path: the file; made with mode 0600 when the first visitor rings.
    :param history: what may be kept.
    """

    def __init__(self, path: Path, history: HistoryConfig) -> None:
        self._path = path
        self._history = history
        self._opened: sqlite3.Connection | None = None

    def tidy(self, now: float) -> Written:
        """Delete whatever is too old, too many or not allowed any more. `now` is the time of day."""
        if not self._path.exists():
            return Written([], [])
        if self._history.keep_calls == 0:
            self._delete_file()
            return Written([], [])
        return self._changing(lambda db: Written([], *self._forget(db, now)))

    def begin(self, now: float) -> Written:
        """Tidy up after an earlier process: what rang as it ended is lost, unless its door comes back for it."""
        tidied = self.tidy(now)
        lost = "UPDATE visits SET state = 'lost', ended_at = began_at, version = ? WHERE state = 'ringing'"
        if self._reading(lambda db: _count(db, "SELECT count(*) FROM visits WHERE state = 'ringing'"), 0):
            self._changing(lambda db: db.execute(lost, (_next(db),)))
        return tidied

    def write(self, changes: Iterable[Change], now: float) -> Written:
        """Write changes down in their order; raises `StoreError` when it cannot, and has then written none."""

        def write(db: sqlite3.Connection) -> Written:
            version = _next(db)
            numbers = {number for change in changes for number in self._take(db, change, version)}
            db.executemany("UPDATE visits SET version = ? WHERE number = ?", [(version, number) for number in numbers])
            gone, forgotten = self._forget(db, now)
            visits = [found for number in sorted(numbers.difference(gone)) for found in _one(db, number)]
            return Written(visits, gone, forgotten)

        return self._changing(write)

    def page(self, *, before: int | None, limit: int, seen: int) -> Page:
        """Return up to `limit` visits of numbers below `before`, the newest first, and what is missed since `seen`."""

        def read(db: sqlite3.Connection) -> Page:
            below = _NEWEST if before is None else before
            rows = db.execute(f"{_VISITS} WHERE v.number < ? ORDER BY v.number DESC LIMIT ?", (below, limit)).fetchall()
            total = _count(db, "SELECT kept FROM changes")
            missed = _count(db, "SELECT count(*) FROM visits WHERE version > ? AND missed", seen)
            return Page([_kept(row) for row in rows], total, _count(db, "SELECT last FROM changes"), missed)

        return self._reading(read, Page([], 0, 0, 0))

    def picture(self, number: int) -> bytes | None:
        """Return the picture of a visit; None where none is kept."""

        def read(db: sqlite3.Connection) -> bytes | None:
            row = db.execute("SELECT jpeg FROM pictures WHERE number = ?", (number,)).fetchone()
            return None if row is None else bytes(row[0])

        return self._reading(read, None)

    def delete(self, number: int) -> list[str]:
        """Delete a visit with its picture; return the ids of the rings that are forgotten by that: one, or none."""
        return self._delete("number = ?", number)

    def delete_until(self, number: int) -> list[str]:
        """Delete the visits up to this number with their pictures; return the ids of their rings."""
        return self._delete("number <= ?", number)

    def _delete(self, which: str, number: int) -> list[str]:
        delete = f"DELETE FROM visits WHERE {which} RETURNING ring"  # noqa: S608 - our own words
        rows = self._changing(lambda db: db.execute(delete, (number,)).fetchall())
        return [str(ring) for (ring,) in rows]

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # -- changes ---------------------------------------------------------------------------------------------

    def _take(self, db: sqlite3.Connection, change: Change, version: int) -> list[int]:
        """Carry out one change; return the number of the visit that it changes, if there is one."""
        if isinstance(change, Picture):
            found = db.execute(_SHOW, {"ring": change.ring, "jpeg": change.jpeg}).fetchall()
        else:
            visit = change.visit if isinstance(change, LateVisit) else change
            fields = {name: getattr(visit, name) for name in visit.__struct_fields__}
            fields["replies"] = msgspec.json.encode(visit.replies).decode()
            begins = _BEGIN if visit.state == "ringing" else _CHANGE
            statement = _COME_LATE if isinstance(change, LateVisit) else begins
            found = db.execute(statement, {**fields, "version": version}).fetchall()
        return [int(number) for (number,) in found]

    def _forget(self, db: sqlite3.Connection, now: float) -> tuple[list[int], list[str]]:
        """Delete what is too old, too many or not allowed; return the numbers and rings of the visits that are gone."""
        if not self._history.snapshots:
            db.execute("DELETE FROM pictures")
        oldest = now - self._history.keep_days * DAY_S
        too_many = _count(db, "SELECT kept FROM changes") - self._history.keep_calls
        last = "SELECT number FROM visits ORDER BY number LIMIT 1 OFFSET ?"
        until = _count(db, last, too_many - 1) if too_many > 0 else 0
        gone = db.execute(
            "DELETE FROM visits WHERE began_at < ? OR number <= ? RETURNING number, ring", (oldest, until)
        ).fetchall()
        return [int(number) for number, _ in gone], [str(ring) for _, ring in gone]

    # -- the file --------------------------------------------------------------------------------------------

    def _reading(self, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """Return what `work` reads, or `nothing` while no visitor has rung."""
        if not self._path.exists():
            return nothing
        return self._guarded(work)

    def _changing(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` does in one transaction."""

        def change(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                done = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # a full disk has rolled it back already
                    db.execute("ROLLBACK")
                raise
            return done

        return self._guarded(change)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` does; a damaged file is put aside, and another one begins."""
        try:
            try:
                return work(self._file())
            except sqlite3.DatabaseError as problem:
                if getattr(problem, "sqlite_errorcode", 0) not in _DAMAGED:
                    raise
                self.close()
                logger.warning("The visitors' list was damaged (%s): it is kept as %s.damaged.", problem, self._path)
                self._path.replace(self._path.with_name(self._path.name + ".damaged"))
                return work(self._file())
        except (sqlite3.Error, OSError) as problem:
            self.close()
            raise StoreError(f"The visitors' list {self._path} cannot be used: {problem}.") from problem

    def _file(self) -> sqlite3.Connection:
        if self._opened is None:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._opened = _open(self._path)
        return self._opened

    def _delete_file(self) -> None:
        self.close()
        self._path.unlink(missing_ok=True)
        self._path.with_name(self._path.name + "-journal").unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        # What is deleted leaves the file. EXTRA also lets the removal of the journal reach the disk.
        db.executescript("PRAGMA auto_vacuum=FULL; PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON;")
        _migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.OperationalError(f"it is of a newer version ({version}): install that one again")
    if version < VERSION:
        steps = "".join(_STEPS[version:])
        db.executescript(f"BEGIN EXCLUSIVE; {steps} PRAGMA user_version={VERSION}; COMMIT;")


def _next(db: sqlite3.Connection) -> int:
    """Return the number of the change that begins."""
    return _count(db, "UPDATE changes SET last = last + 1 RETURNING last")


def _count(db: sqlite3.Connection, query: str, *values: int) -> int:
    (found,) = db.execute(query, values).fetchone()
    return int(found)


def _one(db: sqlite3.Connection, number: int) -> list[KeptVisit]:
    return [_kept(row) for row in db.execute(f"{_VISITS} WHERE v.number = ?", (number,))]


def _kept(row: tuple[Any, ...]) -> KeptVisit:
    number, version, pictured, *visit, replies = row
    said = msgspec.json.decode(replies, type=tuple[Reply, ...])
    return KeptVisit(number, version, bool(pictured), structs.replace(Visit(*visit), replies=said))
