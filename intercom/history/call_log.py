"""The call log: one row for each call and each opening of the door, in SQLite, bounded by count and age.

A row is written once, when the call is over: the SD card of a door is written some dozen times a day, not more.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from intercom.plain_text import plain

logger = logging.getLogger(__name__)

VERSION = 2
"""Version of the tables; SQLite keeps it as `user_version`. The second counts the presses."""
BUSY_S = 5.0
"""Time limit for waiting on a locked file; a reader holds it for milliseconds."""
WAITING_MOST = 200
"""Limit of rows kept in memory while the disk is full or read-only: a busy day."""

TEXT_CHARS = 512
"""Limit of one text in a row, in characters."""

_TABLES = """
CREATE TABLE calls (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  began_at TEXT NOT NULL,
  direction TEXT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  outcome TEXT NOT NULL,
  end_cause TEXT NOT NULL,
  answered_after_s REAL,
  talked_s REAL NOT NULL,
  mos REAL,
  loss_percent REAL,
  door_opened_by TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  presses INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX calls_by_time ON calls (began_at);
"""
_SINCE_1 = "ALTER TABLE calls ADD COLUMN presses INTEGER NOT NULL DEFAULT 0;"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A finished call, or one opening of the door outside of a call (`direction` is then "none")."""

    id: str
    """The call's id; empty for an opening."""
    began_at: str
    """Time when the call began to ring: ISO 8601, UTC."""
    direction: str
    """Direction: "outbound" (the door rang), "inbound" (the door was called) or "none"."""
    address: str
    """The far end's address."""
    name: str = ""
    """The far end's display name."""
    outcome: str
    """Outcome: "answered", "unanswered", "busy", "failed", or "opened" where the door was opened instead."""
    end_cause: str = ""
    """Cause of the end, by its FreeSWITCH name."""
    answered_after_s: float | None = None
    """Time from the first ring to the answer; None if nobody answered."""
    talked_s: float = 0.0
    """Time from the answer to the end."""
    mos: float | None = None
    """Mean opinion score of the received sound, 1 to 4.5."""
    loss_percent: float | None = None
    """Percentage of the far end's sound packets that were lost for good."""
    door_opened_by: str = ""
    """Names of those who opened the door, comma-separated; empty if nobody did."""
    snapshot: str = ""
    """Path of the picture taken when the call rang; empty if none was."""
    presses: int = 0
    """How often the visitor pressed the button for this call, or during it."""


_COLUMNS = [item.name for item in fields(CallRecord)]


class CallLog:
    """The call log in `path`. Its methods block for a disk access: call them off the event loop."""

    def __init__(self, path: Path, *, keep_calls: int, keep_days: int) -> None:
        self.path = path
        self._keep_calls = keep_calls
        self._keep_days = keep_days
        self._waiting: list[CallRecord] = []
        self._lock = threading.Lock()
        "held while a row is written, so that a reader sees it once"
        self.pictures = path.parent / "snapshots"
        "directory of the pictures that rows name"
        self._unclaimed = {each.name for each in self.pictures.iterdir()} if self.pictures.is_dir() else set()
        "names of the pictures of earlier runs, as long as it is unknown which of them a row names"

    def add(self, record: CallRecord, now: datetime) -> None:
        """Write a row, and delete the rows that are too old or too many.

        What cannot be written now waits in memory for the next one. A damaged file is put aside as `calls.db.damaged`.
        """
        if self._keep_calls == 0:
            _take_away([record.snapshot])
            return
        with self._lock:
            self._add(_storable(record), now)

    def _add(self, record: CallRecord, now: datetime) -> None:
        was_well = not self._waiting
        self._waiting = [*self._waiting, record][-WAITING_MOST:]
        try:
            self._write(now)
        except sqlite3.OperationalError as error:
            level = logging.WARNING if was_well else logging.DEBUG
            logger.log(level, "The call log %s cannot be written: %s", self.path, error)
        except sqlite3.DatabaseError as error:
            logger.warning("The call log was damaged (%s): it is kept as %s.damaged", error, self.path)
            self.path.replace(self.path.with_name(self.path.name + ".damaged"))
            self._write(now)
        else:
            if not was_well:
                logger.info("The call log %s is written again", self.path)

    def calls(self, limit: int) -> list[CallRecord]:
        """Return the last calls, the newest first."""
        with self._lock:
            return self._calls(limit)

    def _calls(self, limit: int) -> list[CallRecord]:
        waiting = list(reversed(self._waiting))[:limit]
        if not self.path.exists():
            return waiting
        try:
            with self._open() as log:
                query = f"SELECT {', '.join(_COLUMNS)} FROM calls ORDER BY number DESC LIMIT ?"  # noqa: S608 - our names
                rows = log.execute(query, (limit - len(waiting),)).fetchall()
        except sqlite3.DatabaseError as error:
            logger.warning("The call log %s cannot be read: %s", self.path, error)
            rows = []
        return waiting + [CallRecord(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]

    def forget(self, now: datetime) -> None:
        """Delete the rows that have become too old; write nothing when none has."""
        if not self.path.exists():
            return
        try:
            with self._open() as log:
                found = log.execute("SELECT 1 FROM calls WHERE began_at < ? LIMIT 1", (self._oldest(now),)).fetchone()
            if found or self._unclaimed:
                with self._lock:
                    self._write(now)
        except sqlite3.DatabaseError as error:
            logger.debug("The call log %s cannot be looked through: %s", self.path, error)

    def _oldest(self, now: datetime) -> str:
        return (now - timedelta(days=self._keep_days)).astimezone(UTC).isoformat()

    def _write(self, now: datetime) -> None:
        marks = ", ".join(f":{name}" for name in _COLUMNS)
        with self._open() as log, log:
            log.executemany(
                f"INSERT INTO calls ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608 - our own names
                [asdict(record) for record in self._waiting],
            )
            gone = log.execute(
                "DELETE FROM calls WHERE number <= (SELECT max(number) FROM calls) - ? OR began_at < ? "
                "RETURNING snapshot",
                (self._keep_calls, self._oldest(now)),
            ).fetchall()
            if self._unclaimed:
                named = log.execute("SELECT snapshot FROM calls WHERE snapshot <> ''")
                self._unclaimed.difference_update(Path(snapshot).name for (snapshot,) in named)  # a row at a time
        self._waiting = []
        _take_away(snapshot for (snapshot,) in gone)
        # The power failed after the picture was taken and before the call was written down.
        _take_away(str(self.pictures / picture) for picture in self._unclaimed)
        self._unclaimed = set()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=BUSY_S)) as log:
            # EXTRA also lets the removal of the journal reach the disk: a row that is written stays written.
            log.execute("PRAGMA synchronous = EXTRA")
            version = log.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self.path.chmod(0o600)
            if version < VERSION:
                tables = _SINCE_1 if version else _TABLES
                log.executescript(f"BEGIN; {tables} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version > VERSION:
                raise sqlite3.OperationalError(f"it is of a newer version ({version}): install that one again")
            yield log


def _storable(record: CallRecord) -> CallRecord:
    """Return the record with texts that SQLite accepts and a terminal may show; they come from outside."""
    words: dict[str, Any] = {
        item.name: plain(text, TEXT_CHARS)
        for item in fields(record)
        if item.name != "snapshot" and isinstance(text := getattr(record, item.name), str)
    }
    return replace(record, **words)


def _take_away(pictures: Iterable[str]) -> None:
    """Delete these files; skip empty names."""
    for picture in filter(None, pictures):
        Path(picture).unlink(missing_ok=True)
