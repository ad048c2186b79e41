"""The files of visitors' messages: listed, forgotten by age and bytes, and never led astray by a name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from intercom.message_files import DAY_S, MOST_FILES, ROOM_BYTES, KeptMessage, MessageFiles

NOON = 1_800_000_000


class Clock:
    now = float(NOON)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def files(tmp_path: Path, clock: Clock) -> MessageFiles:
    return MessageFiles(tmp_path / "messages", keep_days=10, most_bytes=1000, now=clock)


def left(
    files: MessageFiles, name: str, size: int = 100, *, door: str = "", began_at: int | None = None
) -> KeptMessage:
    message = files.begin(name, door, began_at=began_at)
    return files.finish(files.append(message, b"x" * size), seconds=7)


def test_a_message_is_listed_when_it_is_whole_and_for_its_owner_alone(files: MessageFiles) -> None:
    message = files.begin("ring-1")
    assert message.path.stat().st_mode & 0o777 == 0o600
    assert message.path.parent.stat().st_mode & 0o777 == 0o700
    message = files.append(message, b"begin")
    message = files.append(message, b" end")
    assert files.all() == []
    assert [one.id for one in files.all(whole=False)] == ["ring-1"]
    whole = files.finish(message, seconds=7)
    assert files.all() == [whole]
    assert (whole.id, whole.seconds, whole.bytes, whole.began_at) == ("ring-1", 7, 9, NOON)
    assert whole.path.read_bytes() == b"begin end"
    assert whole.path.stat().st_mode & 0o777 == 0o600


def test_the_oldest_go_first_when_all_together_take_too_much(files: MessageFiles, clock: Clock) -> None:
    for number in range(5):
        left(files, f"ring-{number}", 300)
        clock.now += 60
    assert [one.id for one in files.all()] == ["ring-2", "ring-3", "ring-4"]


def test_a_message_is_forgotten_after_its_days(files: MessageFiles, clock: Clock) -> None:
    left(files, "old")
    clock.now += 9 * DAY_S
    left(files, "young")
    clock.now += 1 * DAY_S + 1
    files.forget()
    assert [one.id for one in files.all()] == ["young"]


@pytest.mark.parametrize("began_at", [0, NOON - 10 * DAY_S, NOON + 5])
def test_a_message_of_a_door_whose_clock_is_wrong_counts_from_its_arrival(files: MessageFiles, began_at: int) -> None:
    left(files, "ring-1", door="door", began_at=began_at)
    assert [(one.id, one.began_at) for one in files.all()] == [("ring-1", NOON)]


def test_there_are_never_too_many(tmp_path: Path, clock: Clock) -> None:
    directory = tmp_path / "messages"
    directory.mkdir()
    for number in range(MOST_FILES + 20):
        (directory / f"{NOON + number}_1_ring-{number}_.mp4").write_bytes(b"x")
    files = MessageFiles(directory, keep_days=10, most_bytes=10**6, now=clock)
    files.forget()
    assert len(files.all()) == MOST_FILES
    assert files.all()[0].id == "ring-20"


def test_a_message_that_goes_while_the_directory_is_read_is_neither_listed_nor_counted(
    files: MessageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(files, "ring-1")
    going = left(files, "ring-2").path
    look = Path.lstat

    def look_too_late(path: Path) -> os.stat_result:
        going.unlink(missing_ok=True)  # another thread has sent it
        return look(path)

    monkeypatch.setattr(Path, "lstat", look_too_late)
    assert [one.id for one in files.all()] == ["ring-1"]
    assert files.count == 1


def test_what_is_no_message_is_left_alone(files: MessageFiles, tmp_path: Path, clock: Clock) -> None:
    left(files, "ring-1")
    other = tmp_path / "messages" / "notes.txt"
    other.write_text("mine")
    clock.now += 100 * DAY_S
    files.forget()
    assert files.all() == []
    assert other.read_text() == "mine"


def test_a_disk_without_room_takes_no_message(tmp_path: Path) -> None:
    files = MessageFiles(tmp_path, keep_days=1, most_bytes=1000, free_bytes=lambda _: ROOM_BYTES - 1)
    with pytest.raises(OSError, match="too little room"):
        files.begin("ring-1")
    assert files.all(whole=False) == []


@pytest.mark.parametrize("name", ["../ring", "ring/1", "..", "", "ring_1", "r\x00"])
def test_no_id_leads_to_another_file(files: MessageFiles, name: str) -> None:
    left(files, "ring-1")
    assert files.get(name) is None
    assert files.get("ring-1", name or "door") is None


def test_a_link_in_the_place_of_a_message_is_not_followed(files: MessageFiles, tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.write_bytes(b"")
    message = files.begin("ring-1")
    message.path.unlink()
    message.path.symlink_to(aim)
    with pytest.raises(OSError) as caught:
        files.append(message, b"x")
    assert caught.value.errno == errno.ELOOP
    assert aim.read_bytes() == b""
