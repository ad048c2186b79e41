"""The watch over the disk of the state directory."""

from __future__ import annotations

from pathlib import Path

from intercom.door.health.disk_watch import ENOUGH_BYTES, FULL_BYTES, DiskWatch, free_bytes_at


class Disk:
    """A disk that is as free as a test says, and what was told of it."""

    def __init__(self) -> None:
        self.free = ENOUGH_BYTES
        self.told: list[str] = []
        self.watch = DiskWatch(
            Path("/state"),
            full=self.told.append,
            room=lambda: self.told.append("room"),
            free_bytes=lambda _: self.free,
        )

    def is_now(self, free: int) -> None:
        self.free = free
        self.watch.look()


def test_a_full_disk_is_told_once_with_what_to_do() -> None:
    disk = Disk()
    disk.is_now(FULL_BYTES - 1)
    disk.is_now(0)
    assert disk.told == ["/state has 1023 KB left: calls and pictures cannot be kept; make room"]


def test_room_is_told_when_there_is_enough_of_it_and_not_at_each_byte() -> None:
    disk = Disk()
    disk.is_now(0)
    disk.told.clear()
    disk.is_now(FULL_BYTES)
    assert disk.told == []
    disk.is_now(ENOUGH_BYTES)
    assert disk.told == ["room"]


def test_a_disk_with_room_is_not_talked_about() -> None:
    disk = Disk()
    disk.is_now(ENOUGH_BYTES)
    assert disk.told == []


def test_a_directory_that_is_not_there_yet_is_no_full_disk(tmp_path: Path) -> None:
    told: list[str] = []
    DiskWatch(tmp_path / "absent", full=told.append, room=lambda: None).look()
    assert told == []


def test_the_free_space_is_the_file_system_s(tmp_path: Path) -> None:
    assert free_bytes_at(tmp_path) > 0
