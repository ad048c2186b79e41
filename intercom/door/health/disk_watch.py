"""Watch the disk of the state directory: a full disk costs records, and the owner is told of it at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

LOOK_S = 60.0
"""Interval of the checks: one system call, and nothing is written."""
FULL_BYTES = 1024 * 1024
"""Free space below which a file of ours may fail to be written: the call log and a picture take half of it."""
ENOUGH_BYTES = 4 * FULL_BYTES
"""Free space from which the disk counts as having room again."""


class DiskWatch:
    """Reports when the disk is full, and when it has room again.

    :param directory: a directory on the disk; it need not be there yet.
    :param full: called once with the reason when the disk is full.
    :param room: called once when it has room again.
    """

    def __init__(
        self,
        directory: Path,
        *,
        full: Callable[[str], None],
        room: Callable[[], None],
        free_bytes: Callable[[Path], int] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._full = full
        self._room = room
        self._free_bytes = free_bytes or free_bytes_at
        self._sleep = sleep
        self._is_full = False

    async def run(self) -> None:
        """Check the disk at each interval."""
        while True:
            self.look()
            await self._sleep(LOOK_S)

    def look(self) -> None:
        """Check the disk once."""
        try:
            free = self._free_bytes(self._directory)
        except OSError:
            return  # the directory or its disk is missing: whoever writes there reports it
        if not self._is_full and free < FULL_BYTES:
            self._is_full = True
            self._full(f"{self._directory} has {free // 1024} KB left: calls and pictures cannot be kept; make room")
        elif self._is_full and free >= ENOUGH_BYTES:
            self._is_full = False
            self._room()


def free_bytes_at(directory: Path) -> int:
    """Return the bytes that this user may still write to the disk of `directory`; raises OSError."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize
