"""The book of the visits: bounded by count and age, never more than `history` allows, and deleted for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from intercom.config import HistoryConfig
from intercom.space.errors import StoreError
from intercom.space.switch.rings.ring import Reply
from intercom.space.visitors.book import _STEPS, Book
from intercom.space.visitors.visit import Picture, Visit
from tests.growth import counted_databases

NOW = 1_790_000_000.0
DAY_S = 86_400.0
JPEG = b"\xff\xd8\xff\xe0" + b"a face" * 1000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the book lies."""
    return tmp_path / "visitors.sqlite3"


def book(file: Path, **history: bool | int) -> Book:
    """A book that keeps pictures."""
    return Book(file, HistoryConfig(**{"snapshots": True, **history}))  # type: ignore[arg-type]  # its own defaults


def visit(ring: str, at: float = NOW) -> Visit:
    """A visit that begins."""
    return Visit(f"door/{ring}", "Front door", "/private/door", "", at)


def missed(begun: Visit) -> Visit:
    """The same visit, when nobody answered."""
    return structs.replace(begun, state="missed", ended_at=begun.began_at + 30)


def rings(kept: Book) -> list[str]:
    """The rings of the visits that are kept, the newest first."""
    return [one.visit.ring.removeprefix("door/") for one in kept.page(before=None, limit=200, seen=0).visits]


def test_a_visit_is_one_entry_however_often_it_changes(file: Path) -> None:
    kept = book(file)
    begun = visit("1")
    kept.write([begun, missed(begun), begun], NOW)
    answered = structs.replace(begun, state="answered", by="Anna", opened_by="Anna", ended_at=NOW + 5)
    kept.write([answered], NOW)
    (one,) = kept.page(before=None, limit=10, seen=0).visits
    assert one.visit == answered


def test_a_ring_that_comes_back_after_a_restart_is_the_same_visit_and_began_when_it_began(file: Path) -> None:
    kept = book(file)
    kept.write([visit("1")], NOW)
    kept.close()
    again = book(file)
    again.begin(NOW + 5)
    assert again.page(before=None, limit=10, seen=0).visits[0].visit.state == "lost"
    again.write([visit("1", NOW + 10)], NOW + 10)
    (one,) = again.page(before=None, limit=10, seen=0).visits
    assert (one.visit.state, one.visit.began_at) == ("ringing", NOW)


def test_the_list_is_paged_from_the_newest_to_the_oldest(file: Path) -> None:
    kept = book(file)
    kept.write([visit(str(number)) for number in range(25)], NOW)
    found: list[str] = []
    before = None
    while visits := kept.page(before=before, limit=10, seen=0).visits:
        found += [one.visit.ring for one in visits]
        before = visits[-1].number
        kept.write([visit(f"late {before}")], NOW)  # a visitor who comes meanwhile shifts no page
    assert found == [f"door/{number}" for number in reversed(range(25))]


def test_what_the_house_said_is_kept_with_its_visit_also_when_a_restart_forgot_it(file: Path) -> None:
    kept = book(file)
    said = (Reply("Please wait.", "Anna"), Reply("I am coming."))
    replied = structs.replace(visit("1"), replies=said)
    kept.write([visit("1"), replied], NOW)
    kept.write([visit("1"), missed(visit("1"))], NOW)  # of a space that has started again
    (one,) = kept.page(before=None, limit=10, seen=0).visits
    assert (one.visit.replies, one.visit.state) == (said, "missed")


def test_the_list_of_an_older_version_is_taken_over(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.executescript(f"BEGIN; {_STEPS[0]} PRAGMA user_version=1; COMMIT;")
        db.execute(
            "INSERT INTO visits (version, ring, door, address, button, began_at, state, by, opened_by, ended_at) "
            "VALUES (1, 'door/1', 'Front door', '/private/door', '', ?, 'missed', '', '', ?)",
            (NOW, NOW + 30),
        )
        db.commit()
    kept = book(file)
    (one,) = kept.page(before=None, limit=10, seen=0).visits
    assert one.visit == missed(visit("1"))
    kept.write([visit("2")], NOW)
    assert rings(kept) == ["2", "1"]


def test_what_was_missed_counts_until_it_was_shown(file: Path) -> None:
    kept = book(file)
    first, second = visit("1"), visit("2")
    kept.write([first, missed(first), second], NOW)
    page = kept.page(before=None, limit=0, seen=0)
    assert page.missed == 1
    kept.write([missed(second)], NOW)
    assert kept.page(before=None, limit=0, seen=page.version).missed == 1
    assert kept.page(before=None, limit=0, seen=kept.page(before=None, limit=0, seen=0).version).missed == 0


def test_the_number_of_changes_never_falls(file: Path) -> None:
    kept = book(file)
    kept.write([visit("1")], NOW)
    before = kept.page(before=None, limit=1, seen=0)
    assert kept.delete(before.visits[0].number)
    kept.write([visit("2")], NOW)
    after = kept.page(before=None, limit=1, seen=0)
    assert after.version > before.version
    assert after.visits[0].number > before.visits[0].number


def test_only_so_many_visits_are_kept_and_only_so_long(file: Path) -> None:
    kept = book(file, keep_calls=3, keep_days=10)
    for day in range(5):
        kept.write([visit(str(day), NOW + day * DAY_S)], NOW + day * DAY_S)
    assert rings(kept) == ["4", "3", "2"]
    kept.tidy(NOW + 13.5 * DAY_S)
    assert rings(kept) == ["4"]


def test_what_a_write_pushes_out_is_named(file: Path) -> None:
    kept = book(file, keep_calls=2)
    (first, _) = kept.write([visit("1"), visit("2")], NOW).visits
    written = kept.write([visit("3")], NOW)
    assert (written.gone, [one.visit.ring for one in written.visits]) == ([first.number], ["door/3"])
    assert written.forgotten == ["door/1"]
    assert kept.tidy(NOW + 1000 * DAY_S).forgotten == ["door/2", "door/3"]


def test_the_first_picture_of_a_press_is_kept_with_its_visit(file: Path) -> None:
    kept = book(file)
    (one,) = kept.write([visit("1"), Picture("door/1", JPEG), Picture("door/1", b"later")], NOW).visits
    assert one.pictured
    assert kept.picture(one.number) == JPEG


def test_a_picture_of_no_visit_is_not_kept(file: Path) -> None:
    kept = book(file)
    assert kept.write([Picture("door/1", JPEG)], NOW).visits == []
    assert kept.picture(1) is None


def test_no_picture_is_kept_where_history_forbids_them_nor_are_the_former_ones(file: Path) -> None:
    kept = book(file)
    (one,) = kept.write([visit("1"), Picture("door/1", JPEG)], NOW).visits
    kept.close()
    without = book(file, snapshots=False)
    without.begin(NOW)
    assert without.picture(one.number) is None
    assert rings(without) == ["1"]
    without.close()
    assert b"a face" not in file.read_bytes()


def test_nothing_is_left_where_history_keeps_nothing(file: Path) -> None:
    kept = book(file)
    kept.write([visit("1")], NOW)
    kept.close()
    none = book(file, keep_calls=0)
    none.begin(NOW)
    assert list(file.parent.iterdir()) == []
    assert none.page(before=None, limit=10, seen=0).visits == []
    assert list(file.parent.iterdir()) == []


def test_a_deleted_visit_is_gone_from_the_file_with_its_picture(file: Path) -> None:
    kept = book(file)
    first, second = kept.write([visit("1"), Picture("door/1", JPEG), visit("2")], NOW).visits
    assert kept.delete(first.number)
    assert not kept.delete(first.number)
    assert (rings(kept), kept.picture(first.number)) == (["2"], None)
    kept.close()
    assert b"a face" not in file.read_bytes()
    assert book(file).picture(second.number) is None


def test_a_visit_that_was_deleted_in_its_call_does_not_come_back_when_the_call_ends(file: Path) -> None:
    kept = book(file)
    begun = visit("1")
    (one,) = kept.write([begun], NOW).visits
    kept.delete(one.number)
    assert kept.write([structs.replace(begun, state="answered", by="Anna", ended_at=NOW)], NOW).visits == []
    assert rings(kept) == []


def test_deleting_all_leaves_who_came_since_the_list_was_shown(file: Path) -> None:
    kept = book(file)
    kept.write([visit("1"), visit("2")], NOW)
    newest = kept.page(before=None, limit=1, seen=0).visits[0].number
    kept.write([visit("3")], NOW)
    assert kept.delete_until(newest) == ["door/1", "door/2"]
    assert rings(kept) == ["3"]


def test_the_file_is_its_owners_alone(file: Path) -> None:
    book(file).write([visit("1")], NOW)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_book_is_put_aside_and_another_one_begins(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes(b"this is no database" * 100)
    kept = book(file)
    kept.write([visit("1")], NOW)
    assert rings(kept) == ["1"]
    assert file.with_name("visitors.sqlite3.damaged").exists()
    assert "was damaged" in caplog.text


def test_a_book_of_a_newer_version_is_left_alone(file: Path) -> None:
    book(file).write([visit("1")], NOW)
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer version"):
        book(file).page(before=None, limit=1, seen=0)
    assert not file.with_name("visitors.sqlite3.damaged").exists()


def test_a_book_of_many_visits_costs_what_a_book_of_few_costs(tmp_path: Path) -> None:
    few, many = 50, 400
    with counted_databases() as database:
        books = {size: book(tmp_path / f"{size}.sqlite3", keep_calls=size) for size in (few, many)}
        for size, kept in books.items():
            begun = [visit(str(number)) for number in range(size)]
            kept.write([*begun, *map(missed, begun)], NOW)
        deeds: dict[str, Callable[[Book], object]] = {
            "the first page": lambda kept: kept.page(before=None, limit=20, seen=1),
            "a later page": lambda kept: kept.page(before=30, limit=20, seen=1),
            "a visitor, and the oldest goes": lambda kept: kept.write([visit("one more")], NOW),
            "the tidying": lambda kept: kept.tidy(NOW),
            "a start": lambda kept: kept.begin(NOW),
        }
        for name, deed in deeds.items():
            costs = {size: database.of(lambda kept=kept, deed=deed: deed(kept)) for size, kept in books.items()}
            assert costs[many] <= costs[few] * 1.25, name
    assert [kept.page(before=None, limit=1, seen=0).total for kept in books.values()] == [few, many]


def test_the_visits_of_an_older_version_are_counted(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.executescript(f"BEGIN; {''.join(_STEPS[:2])} PRAGMA user_version=2; COMMIT;")
        insert = "INSERT INTO visits (version, ring, door, address, button, began_at, state, by, opened_by) VALUES "
        db.executescript(f"{insert} (1, 'a', '', '', '', {NOW}, 'missed', '', ''); UPDATE changes SET last = 1;")
    kept = book(file, keep_calls=2)
    kept.write([visit("b"), visit("c")], NOW)
    assert (kept.page(before=None, limit=9, seen=0).total, rings(kept)) == (2, ["c", "b"])
