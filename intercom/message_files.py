"""The files of visitors' messages in a directory: made, listed, and forgotten by their age and their bytes.

The door keeps them until the space has them, and the space until somebody deletes them; both by these rules. A file's
name tells all that is known of it, so that nothing else has to agree with the directory. A file that is not whole yet
ends in `.part`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

MOST_BYTES: Final = 16 * 1024 * 1024
"""Limit of one message: half a minute of the usual picture has 6 MB."""
PIECE_BYTES: Final = 256 * 1024
"""Limit of a piece in which a message travels: a slow network carries one within the time of a request."""
MOST_FILES: Final = 500
"""Limit of messages in one directory."""
ROOM_BYTES: Final = 32 * 1024 * 1024
"""Free space that messages leave on the disk: the door's own files come first."""
DAY_S: Final = 86_400
ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Form of a message's id, which is that of its press."""
_NAME: Final = re.compile(r"(\d{1,12})_(\d{1,4})_([0-9A-Za-z-]{1,64})_([a-z0-9._~-]{0,64})\.(mp4|part)")


class KeptMessage(NamedTuple):
    """A message that a visitor left."""

    id: str
    """Id of the press that it follows."""
    door: str
    """Name of the door that sent it; empty at the door itself."""
    began_at: int
    """Time of its beginning, seconds since 1970."""
    seconds: int
    """Length, seconds."""
    bytes: int
    """Size of the file."""
    path: Path
    """The file."""

    @property
    def whole(self) -> bool:
        """Whether nothing of it is missing."""
        return self.path.suffix == ".mp4"


class MessageFiles:
    """The messages in one directory. Every method reads or writes the disk.

    :param keep_days: days after which a message is forgotten.
    :param most_bytes: limit of all messages together; the oldest are forgotten first.
    :param now: the time of day, seconds since 1970.
    """

    def __init__(
        self,
        directory: Path,
        *,
        keep_days: int,
        most_bytes: int,
        now: Callable[[], float] = time.time,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self._directory = directory
        self._keep_s = keep_days * DAY_S
        self._most_bytes = most_bytes
        self._now = now
        self._free_bytes = free_bytes or _free_bytes
        self.count = 0
        """Number of messages that are whole, as the last look at the directory found it."""

    def all(self, *, whole: bool = True) -> list[KeptMessage]:
        """Return the messages, the oldest first: those that are whole, or those that are not."""
        try:
            names = [(path, _NAME.fullmatch(path.name)) for path in self._directory.iterdir()]
        except FileNotFoundError:
            names = []
        suffix = "mp4" if whole else "part"
        found = [_message(path, match) for path, match in names if match is not None and match[5] == suffix]
        messages = sorted(filter(None, found), key=lambda one: one.began_at)
        if whole:
            self.count = len(messages)
        return messages

    def get(self, message_id: str, door: str = "", *, whole: bool = True) -> KeptMessage | None:
        """Return a message by its id and its door; nothing of either becomes part of a path."""
        return next((one for one in self.all(whole=whole) if (one.id, one.door) == (message_id, door)), None)

    def begin(self, message_id: str, door: str = "", *, began_at: int | None = None, seconds: int = 0) -> KeptMessage:
        """Make the empty file of a new message, mode 0600; raises OSError, also where the disk is nearly full.

        A beginning in the future, or so long ago that the message would be forgotten at once, is another clock's error:
        the message counts from now on.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget()
        if self._free_bytes(self._directory) < ROOM_BYTES:
            raise OSError(f"{self._directory} has too little room for a message")
        now = int(self._now())
        began_at = now if began_at is None or not now - self._keep_s < began_at <= now else began_at
        path = self._directory / f"{began_at}_{seconds}_{message_id}_{door}.part"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        self._settle()
        return KeptMessage(message_id, door, began_at, seconds, 0, path)

    def append(self, message: KeptMessage, data: bytes) -> KeptMessage:
        """Add to a message that is not whole; it is on the disk when this returns. Raises OSError."""
        descriptor = os.open(message.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)
            file.flush()
            os.fdatasync(descriptor)
        return message._replace(bytes=message.bytes + len(data))

    def shorten(self, message: KeptMessage, size: int) -> KeptMessage:
        """Cut off what follows the first `size` bytes of a message that is not whole. Raises OSError."""
        with message.path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
        return message._replace(bytes=size)

    def finish(self, message: KeptMessage, *, seconds: int | None = None) -> KeptMessage:
        """Make a message whole: it is listed from now on. Raises OSError."""
        seconds = message.seconds if seconds is None else seconds
        path = self._directory / f"{message.began_at}_{seconds}_{message.id}_{message.door}.mp4"
        message.path.replace(path)
        self._settle()
        self.forget()
        return message._replace(seconds=seconds, path=path)

    def remove(self, message: KeptMessage) -> None:
        """Delete a message; harmless when it is gone."""
        message.path.unlink(missing_ok=True)
        self.all()

    def remove_all(self) -> None:
        """Delete every message."""
        for message in [*self.all(), *self.all(whole=False)]:
            self.remove(message)

    def forget(self) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        since = self._now() - self._keep_s
        total, count = 0, 0
        kept = [*self.all(), *self.all(whole=False)]
        for message in sorted(kept, key=lambda one: one.began_at, reverse=True):
            total, count = total + message.bytes, count + 1
            if message.began_at < since or total > self._most_bytes or count > MOST_FILES:
                message.path.unlink(missing_ok=True)
        self.all()

    def _settle(self) -> None:
        """Flush the directory's names to the disk."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _message(path: Path, match: re.Match[str]) -> KeptMessage | None:
    try:
        size = path.lstat().st_size
    except FileNotFoundError:  # deleted meanwhile
        return None
    return KeptMessage(match[3], match[4], int(match[1]), int(match[2]), size, path)


def _free_bytes(directory: Path) -> int:
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize
