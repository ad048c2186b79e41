"""What is read from memory is what the file holds, whoever wrote it and whatever went wrong."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from intercom.space.errors import SpaceError, StoreError
from intercom.space.store.database import Database, Transaction
from intercom.space.store.records import CodeLimits
from intercom.space.store.store import DATABASE, Store

NAMES = st.sampled_from([f"resident-{number}" for number in range(6)])
TIMES = st.floats(0, 1000, allow_nan=False)
LIMITS = CodeLimits(one_maker=2, devices=3)


class PowerCutError(Exception):
    """What ends a write half-way."""


class CountedConnection(sqlite3.Connection):
    """A connection that counts how often it was copied whole."""

    copied = 0

    def backup(self, *arguments: Any, **named: Any) -> None:
        type(self).copied += 1
        super().backup(*arguments, **named)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> type[CountedConnection]:
    class Counted(CountedConnection):
        """One test's."""

    connect = sqlite3.connect

    def counted(path: Path | str, **named: Any) -> sqlite3.Connection:
        return connect(path, factory=Counted, **named)

    monkeypatch.setattr(sqlite3, "connect", counted)
    return Counted


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)))


def held(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Return everything in a database, each row with its number where it has one."""
    tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    rows: list[tuple[object, ...]] = []
    for table, created in tables:
        number = "" if "WITHOUT ROWID" in created else "rowid, "
        rows += [(table, *row) for row in connection.execute(f"SELECT {number}* FROM {table}")]
    return rows


def assert_alike(database: Database) -> None:
    assert held(database._copy) == held(database._file)


class House(RuleBasedStateMachine):
    """A space, another process beside it, and what may go wrong with either."""

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.TemporaryDirectory()
        path = Path(self._place.name) / DATABASE
        self.ours, self.theirs = (Store(path, now=lambda: 0.0, patience_s=0.0) for _ in range(2))
        for store in (self.ours, self.theirs):
            store.add_group("house")
        self.secrets: list[str] = []
        self.looked = True

    def teardown(self) -> None:
        self.ours.close()
        self.theirs.close()
        self._place.cleanup()

    def _written(self) -> None:
        """Whoever writes copies what the others wrote with it."""
        self.looked = True

    @rule(name=NAMES)
    def somebody_is_added(self, name: str) -> None:
        with contextlib.suppress(SpaceError):
            resident = self.ours.add_subscriber(name, groups=("house",))
            self.secrets.append(self.ours.add_device(resident, name))
            self._written()

    @rule(name=NAMES)
    def somebody_is_removed_with_all_that_hangs_on_them(self, name: str) -> None:
        self.ours.remove_subscriber(name)
        self._written()

    @rule(name=NAMES, wanted=st.text(max_size=8))
    def somebody_is_renamed(self, name: str, wanted: str) -> None:
        known = self.ours.subscriber(name)
        if known is not None and self.ours.rename(known, wanted) != known:
            self._written()

    @rule(at=TIMES, data=st.data())
    def a_device_rings(self, at: float, data: st.DataObject) -> None:
        if self.secrets:
            self.ours.proofs._now = lambda: at
            self.ours.proofs.rang(data.draw(st.sampled_from(self.secrets)), "closed")
            self._written()

    @rule(at=TIMES, name=NAMES)
    def a_code_is_made_and_claimed(self, at: float, name: str) -> None:
        maker = self.ours.subscriber(name)
        with contextlib.suppress(StoreError):  # another process has removed them
            self.ours.codes.open(f"{at}", now=0.0, expires_at=at, maker=maker and maker.id, limits=LIMITS)
            claimed = self.ours.codes.claim(f"{at}", now=1.0, until=2.0)
            if claimed is not None and maker is not None:
                self.ours.codes.claimed_by(f"{at}", maker.id)
            self._written()

    @rule(name=NAMES)
    def another_process_adds_somebody(self, name: str) -> None:
        with contextlib.suppress(SpaceError):
            if self.theirs.add_subscriber(name, groups=("house",)):
                self.looked = False

    @rule(name=NAMES)
    def another_process_removes_somebody(self, name: str) -> None:
        self.theirs.remove_subscriber(name)
        self.looked = False

    @rule()
    def the_space_looks(self) -> None:
        self.ours.changed_elsewhere()
        self.looked = True

    @rule(name=NAMES)
    def a_write_ends_half_way(self, name: str) -> None:
        def work(db: Transaction) -> None:
            db.execute("DELETE FROM subscribers WHERE reference = ?", (name,))
            raise PowerCutError

        with contextlib.suppress(PowerCutError):
            self.ours._db.write(work)

    @rule(name=NAMES)
    def the_disk_is_full(self, name: str) -> None:
        def work(db: Transaction) -> None:
            db.execute("DELETE FROM subscribers WHERE reference = ?", (name,))
            db.execute("INSERT INTO settings VALUES ('large', zeroblob(1000000))")

        (pages,) = self.ours._db._file.execute("PRAGMA page_count").fetchone()
        self.ours._db._file.execute(f"PRAGMA max_page_count={pages}")
        with contextlib.suppress(StoreError):
            self.ours._db.write(work)
            raise AssertionError("there was room")
        self.ours._db._file.execute("PRAGMA max_page_count=1000000")

    @rule(name=NAMES)
    def another_process_holds_the_file(self, name: str) -> None:
        self.theirs._db._file.execute("BEGIN EXCLUSIVE")
        with contextlib.suppress(StoreError):
            self.ours.remove_subscriber(name)
            raise AssertionError("the file was free")
        self.theirs._db._file.execute("ROLLBACK")

    @precondition(lambda self: self.looked)
    @invariant()
    def the_copy_is_the_file(self) -> None:
        assert_alike(self.ours._db)


TestHouse = House.TestCase
TestHouse.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_a_write_repeats_on_the_copy_what_it_changed_and_copies_no_house(
    copies: type[CountedConnection], open_store: Callable[[], Store]
) -> None:
    store = open_store()
    opened = copies.copied
    store.add_group("house")
    anna = store.add_subscriber("anna", groups=("house",))
    store.proofs.rang(store.add_device(anna, "Phone"), "open")
    store.remove_subscriber("anna")
    assert copies.copied == opened
    assert_alike(store._db)


def test_the_first_write_after_another_process_copies_what_both_wrote(
    copies: type[CountedConnection], open_store: Callable[[], Store]
) -> None:
    ours, theirs = open_store(), open_store()
    theirs.add_subscriber("bert")
    before = copies.copied
    ours.add_subscriber("anna")
    assert copies.copied == before + 1
    assert ours.subscriber("bert") is not None
    assert ours.changed_elsewhere()


def test_what_another_process_writes_between_the_write_and_its_repetition_is_found_at_the_next_look(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = open_store(), open_store()
    repeat = Transaction.repeat_on

    def be_late(self: Transaction, copy: sqlite3.Connection) -> bool:
        monkeypatch.setattr(Transaction, "repeat_on", repeat)
        theirs.remove_subscriber("anna")
        return repeat(self, copy)

    monkeypatch.setattr(Transaction, "repeat_on", be_late)
    ours.add_subscriber("anna")
    assert ours.changed_elsewhere()
    assert ours.subscriber("anna") is None
    assert_alike(ours._db)


@pytest.mark.parametrize("spoiled", ["DELETE FROM subscribers", "DROP TABLE addresses"])
def test_a_copy_that_takes_the_change_differently_is_copied_again(
    open_store: Callable[[], Store], spoiled: str
) -> None:
    store = open_store()
    store.add_subscriber("anna")
    store._db._copy.execute(spoiled)
    store.remove_subscriber("anna")
    assert_alike(store._db)
