"""Keeps one SQLite file and reads it from a copy in memory, so that a lock or a full disk makes nobody wait.

The rollback journal with `synchronous=EXTRA` survives a power cut at any moment, needs no second file while
idle, and writes nothing when nothing changes (SQLite documentation, "PRAGMA synchronous").
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from intercom.space.errors import StoreError

logger = logging.getLogger(__name__)

OPEN_LIMIT_S: Final = 30.0
"""Time limit for opening the file while another process brings its tables up to date: a slow card takes seconds to
flush that."""
LOOK_LIMIT_S: Final = 0.05
"""Time limit for a look for changes while another process writes: the next look comes within a second."""
RESERVE_BYTES: Final = 256 * 1024
"""Size of the reserve file, deleted when the disk is full so that a lost phone can still be removed."""
RESERVE: Final = "space.reserve"

T = TypeVar("T")


class Transaction:
    """One write's way to the file: what it changes there is repeated on the copy.

    So no statement of a write asks SQLite for chance or the time of day.
    """

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self._before = file.total_changes
        self._statements: list[tuple[str, tuple[Any, ...]]] = []

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute a statement on the file."""
        self._statements.append((query, tuple(parameters)))
        return self._file.execute(query, parameters)

    def repeat_on(self, copy: sqlite3.Connection) -> bool:
        """Repeat the committed statements on a copy that was like the file; False where it has to be copied again."""
        before = copy.total_changes
        try:
            copy.execute("BEGIN")
            for query, parameters in self._statements:
                copy.execute(query, parameters)
            copy.execute("COMMIT")
        except sqlite3.Error as problem:
            if copy.in_transaction:
                copy.execute("ROLLBACK")
            logger.debug("The space's database is copied again: %s", problem)
            return False
        return copy.total_changes - before == self._file.total_changes - self._before


class Database:
    """The file, and the copy that is read.

    :param path: the file; made with mode 0600, its directory with 0700.
    :param migrate: brings the tables up to date, given the file's connection.
    :param patience_s: how long a write waits for another process.
    Raises `StoreError` when the file cannot be opened or is damaged.
    """

    def __init__(self, path: Path, *, migrate: Callable[[sqlite3.Connection], None], patience_s: float) -> None:
        self._path = path
        self._patience_s = patience_s
        self._version = -1
        self._news = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            self._file = sqlite3.connect(path, timeout=OPEN_LIMIT_S, isolation_level=None)
            self._file.executescript("PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON;")
            migrate(self._file)
            self._copy = sqlite3.connect(":memory:", isolation_level=None)
            self._copy.execute("PRAGMA foreign_keys=ON")
            self._copy_again()
            self._news = False
        except (OSError, sqlite3.Error) as problem:
            raise StoreError(
                f"The space cannot use its database {path}: {problem}. "
                "If the file is damaged, move it away; stations then pair again."
            ) from problem
        self._make_reserve()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._copy.close()

    def read(self, query: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Query the copy, or, within `write`, the file with its uncommitted changes."""
        return (self._file if self._file.in_transaction else self._copy).execute(query, parameters)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` as one transaction on the file; on a full disk it is run twice.

        Raises `StoreError` when it cannot be written, for example because another process holds the file.
        """
        try:
            try:
                return self._write(work)
            except sqlite3.OperationalError as problem:
                if getattr(problem, "sqlite_errorcode", 0) not in _NO_ROOM or not self._give_up_reserve():
                    raise
                return self._write(work)
        except sqlite3.Error as problem:
            raise StoreError(
                f"The space's database {self._path} cannot be written: {problem}. Make room on the disk, or wait for "
                "the program that holds it; then try again."
            ) from problem

    def refresh(self) -> bool:
        """Copy the changes of other connections, such as another process's; return whether this look copied any."""
        try:
            self._wait_at_most(LOOK_LIMIT_S)
            if self._data_version() == self._version:
                return False
            self._copy_again()
        except sqlite3.OperationalError as problem:
            logger.debug("The space's database is busy, looking again soon: %s", problem)
            return False
        return True

    def news(self) -> bool:
        """Return whether another connection has written since the last call, whoever has looked meanwhile."""
        self.refresh()
        news, self._news = self._news, False
        return news

    def _write(self, work: Callable[[Transaction], T]) -> T:
        self._wait_at_most(self._patience_s)
        self._file.execute("BEGIN IMMEDIATE")
        try:
            is_current = self._data_version() == self._version  # from here on nobody else can write
            transaction = Transaction(self._file)
            done = work(transaction)
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:  # a full disk has rolled it back already
                self._file.execute("ROLLBACK")
            raise
        if not (is_current and transaction.repeat_on(self._copy)):
            try:
                self._copy_again()
            except sqlite3.OperationalError:  # another process was quicker: the next look copies what both have written
                self._version = -1
        self._make_reserve()
        return done

    def _copy_again(self) -> None:
        self._file.execute("BEGIN")
        try:
            self._file.execute(
                "SELECT count(*) FROM sqlite_master"
            ).fetchone()  # takes the lock, or says that it is busy
            version = self._data_version()
            self._file.backup(self._copy)
        finally:
            self._file.execute("COMMIT")
        self._news = self._news or version != self._version  # the copy after a write of ours may hold another's too
        self._version = version

    def _data_version(self) -> int:
        (version,) = self._file.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _wait_at_most(self, seconds: float) -> None:
        self._file.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")

    # -- the disk's last reserve -----------------------------------------------------------------------------

    def _reserve(self) -> Path:
        return self._path.with_name(RESERVE)

    def _make_reserve(self) -> None:
        """Take disk space while there is some; without it everything works until the disk is full."""
        reserve = self._reserve()
        if reserve.exists():
            return
        try:
            descriptor = os.open(reserve, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        except OSError:
            reserve.unlink()
        finally:
            os.close(descriptor)

    def _give_up_reserve(self) -> bool:
        try:
            self._reserve().unlink()
        except OSError:
            return False
        logger.warning(
            "The disk is full: %s is deleted, so that the space can still write. Make room.", self._reserve()
        )
        return True


_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN})
"""SQLite's error codes for a full disk: for the database, its journal, and a journal that cannot be made."""
