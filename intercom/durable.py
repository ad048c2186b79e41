"""Files that a power cut leaves old or new, never in between: everything that the package keeps is written here.

The new content goes into a file beside the old one, reaches the disk, takes the old one's name, and the name reaches
the disk (rename(2), fsync(2)). What a power cut leaves beside it is cleared away by the next write.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

_one_at_a_time = threading.Lock()
"""The new file's name tells processes apart, not threads."""


def replace(path: Path, data: bytes, *, mode: int = 0o600, owner_of: Path | None = None) -> None:
    """Replace what stands in the file at `path`; makes its directory (mode 0700) where there is none.

    Root gives the file to the owner of `owner_of`. Raises OSError, and then the old file is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_at_a_time:
        _clear_left_behind(path)
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        new.unlink(missing_ok=True)
        # O_EXCL: in a directory that somebody else writes, a link of theirs must not lead root to another file.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)
                if owner_of is not None:
                    give(descriptor, owner_of)
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    _settle(path.parent)


def give(what: Path | int, owner_of: Path) -> None:
    """Give a file, or an open one, to the owner of another; only root has to, and can."""
    if os.geteuid() == 0:
        owner = owner_of.stat()
        os.chown(what, owner.st_uid, owner.st_gid)


def _settle(directory: Path) -> None:
    """Let the names in a directory reach the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear_left_behind(path: Path) -> None:
    """Take away what a writer left that did not come to its end: a power cut's, in time, would fill the card."""
    start = f".{path.name}."
    for entry in path.parent.iterdir():
        if entry.name.startswith(start) and entry.name.endswith(".new"):
            writer = entry.name[len(start) : -len(".new")]
            if writer.isdecimal() and not _lives(int(writer)):
                entry.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True
