"""The call log, in real SQLite files."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intercom.history import call_log
from intercom.history.call_log import CallLog, CallRecord
from tests.growth import counted_databases

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CALL = CallRecord(
    id="a",
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
)


@pytest.fixture
def log(tmp_path: Path) -> CallLog:
    return CallLog(tmp_path / "calls.db", keep_calls=3, keep_days=10)


def test_a_call_is_remembered_as_it_was(log: CallLog) -> None:
    log.add(CALL, NOW)
    assert CallLog(log.path, keep_calls=3, keep_days=10).calls(5) == [CALL]


def test_the_newest_comes_first_and_no_more_than_asked(log: CallLog) -> None:
    for name in "abc":
        log.add(replace(CALL, id=name), NOW)
    assert [call.id for call in log.calls(2)] == ["c", "b"]


def test_no_more_are_kept_than_configured(log: CallLog) -> None:
    for name in "abcde":
        log.add(replace(CALL, id=name), NOW)
    assert [call.id for call in log.calls(10)] == ["e", "d", "c"]


def test_old_calls_are_forgotten(log: CallLog) -> None:
    log.add(CALL, NOW)
    log.add(replace(CALL, id="b", began_at=(NOW + timedelta(days=11)).isoformat()), NOW + timedelta(days=11))
    assert [call.id for call in log.calls(10)] == ["b"]


def test_a_picture_is_forgotten_with_its_call(log: CallLog, tmp_path: Path) -> None:
    picture = tmp_path / "who.jpg"
    picture.write_bytes(b"picture")
    log.add(replace(CALL, snapshot=str(picture)), NOW)
    assert picture.exists()
    for name in "bcd":
        log.add(replace(CALL, id=name), NOW)
    assert not picture.exists()


def test_a_door_that_nobody_rings_forgets_as_well(log: CallLog) -> None:
    log.add(CALL, NOW)
    log.forget(NOW + timedelta(days=11))
    assert log.calls(10) == []


def test_looking_for_what_is_too_old_writes_nothing(log: CallLog) -> None:
    log.forget(NOW)
    assert not log.path.exists()
    log.add(CALL, NOW)
    before = log.path.stat().st_mtime_ns
    log.forget(NOW)
    assert log.path.stat().st_mtime_ns == before


def test_a_picture_whose_call_was_never_written_down_is_taken_away_after_a_restart(
    log: CallLog, tmp_path: Path
) -> None:
    pictures = {name: tmp_path / "snapshots" / f"{name}.jpg" for name in ("lost", "kept", "later")}
    (tmp_path / "snapshots").mkdir()
    pictures["lost"].touch()
    pictures["kept"].touch()
    log.add(replace(CALL, snapshot=str(pictures["kept"])), NOW)
    again = CallLog(log.path, keep_calls=3, keep_days=10)
    pictures["later"].touch()
    again.add(replace(CALL, id="b"), NOW)
    assert [name for name, picture in pictures.items() if picture.exists()] == ["kept", "later"]


def test_nothing_is_written_where_nothing_is_to_be_kept(tmp_path: Path) -> None:
    log = CallLog(tmp_path / "calls.db", keep_calls=0, keep_days=10)
    log.add(CALL, NOW)
    assert log.calls(5) == []
    assert not log.path.exists()


def test_only_the_door_reads_it(log: CallLog) -> None:
    log.add(CALL, NOW)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_damaged_log_is_put_aside_and_a_new_one_begun(log: CallLog, caplog: pytest.LogCaptureFixture) -> None:
    log.path.write_bytes(b"this is not a database, whatever it was before" * 100)
    log.add(CALL, NOW)
    assert log.calls(5) == [CALL]
    assert log.path.with_name("calls.db.damaged").exists()
    assert "was damaged" in caplog.text


def test_what_cannot_be_written_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = tmp_path / "not-there-yet"
    log = CallLog(directory / "calls.db", keep_calls=3, keep_days=10)
    caplog.set_level(logging.DEBUG)
    log.add(CALL, NOW)
    log.add(replace(CALL, id="b"), NOW)
    assert [call.id for call in log.calls(5)] == ["b", "a"]
    told = [record.levelname for record in caplog.records if record.name == call_log.__name__]
    assert told == ["WARNING", "DEBUG"]
    directory.mkdir()
    log.add(replace(CALL, id="c"), NOW)
    assert [call.id for call in CallLog(log.path, keep_calls=3, keep_days=10).calls(5)] == ["c", "b", "a"]
    assert "is written again" in caplog.text


def test_a_log_of_a_newer_version_is_left_alone(log: CallLog, caplog: pytest.LogCaptureFixture) -> None:
    import sqlite3

    with sqlite3.connect(log.path) as file:
        file.execute("PRAGMA user_version = 99")
    log.add(CALL, NOW)
    assert "newer version (99)" in caplog.text
    with sqlite3.connect(log.path) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_log_of_before_the_presses_were_counted_is_kept_and_goes_on(log: CallLog) -> None:
    import sqlite3

    log.add(CALL, NOW)
    with sqlite3.connect(log.path) as file:
        file.execute("ALTER TABLE calls DROP COLUMN presses")
        file.execute("PRAGMA user_version = 1")
    log.add(replace(CALL, id="b", presses=3), NOW)
    assert [(call.id, call.presses) for call in log.calls(5)] == [("b", 3), ("a", 0)]


def test_a_log_of_before_the_presses_were_counted_can_be_read(log: CallLog) -> None:
    import sqlite3

    log.add(CALL, NOW)
    with sqlite3.connect(log.path) as file:
        file.execute("ALTER TABLE calls DROP COLUMN presses")
        file.execute("PRAGMA user_version = 1")
    assert [(call.id, call.presses) for call in log.calls(5)] == [("a", 0)]


def test_a_call_that_is_being_written_is_told_once(tmp_path: Path) -> None:
    log = CallLog(tmp_path / "calls.db", keep_calls=1000, keep_days=10)
    with ThreadPoolExecutor(2) as threads:
        for number in range(20):
            writing = threads.submit(log.add, replace(CALL, id=str(number)), NOW)
            while not writing.done():
                told = [call.id for call in log.calls(100)]
                assert len(told) == len(set(told))
            writing.result()


def test_a_log_of_many_calls_costs_what_a_log_of_few_costs(tmp_path: Path) -> None:
    few, many = 50, 400
    with counted_databases() as database:
        logs = {size: CallLog(tmp_path / f"{size}.db", keep_calls=size, keep_days=10) for size in (few, many)}
        for size, kept in logs.items():
            for number in range(size):
                kept.add(replace(CALL, id=str(number)), NOW)
        deeds: dict[str, Callable[[CallLog], object]] = {
            "the last calls": lambda kept: kept.calls(20),
            "a call, and the oldest goes": lambda kept: kept.add(CALL, NOW),
            "a day": lambda kept: kept.forget(NOW),
        }
        for name, deed in deeds.items():
            costs = {size: database.of(lambda kept=kept, deed=deed: deed(kept)) for size, kept in logs.items()}
            assert costs[many] <= costs[few] * 1.25, name
