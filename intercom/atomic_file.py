"""Write files that a power cut leaves old or new, never in between; the package keeps everything through this module.

The new content goes into a file beside the old one, reaches the disk, takes the old one's name, and the name reaches
the disk (rename(2), fsync(2)). What a power cut leaves beside it is cleared away by the next write.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

_one_at_a_time = threading.Lock()
"""Lock for one writer at a time: the new file's name tells processes apart, not threads."""


def replace(path: Path, data: bytes, *, mode: int = 0o600, owner_of: Path | None = None) -> None:
    """Replace the file at `path`, and create its directory (mode 0700) if it is missing.

    Root gives the file to the owner of `owner_of`. Raises OSError, and then the old file is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, data, mode, None if owner_of is None else _owner(owner_of))


def hand_out(path: Path, data: bytes, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Write a file at a path that a user chose, where somebody else may have prepared something.

    An ordinary file there is replaced, never written into, so that its other names keep what they had; a link, a pipe
    or a device is refused. Root may give the new file to `owner`, a user and a group. Raises OSError.
    """
    path.parent.stat()
    try:
        prepared = not stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        prepared = False
    if prepared:
        raise FileExistsError(errno.EEXIST, "A link or another thing that is no ordinary file is there", str(path))
    _write(path, data, mode, owner)


def _write(path: Path, data: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    with _one_at_a_time:
        _clear_left_behind(path)
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        new.unlink(missing_ok=True)
        # O_EXCL: in a directory that somebody else writes, a link of theirs must not lead root to another file.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)
                if owner is not None and os.geteuid() == 0:
                    os.fchown(descriptor, *owner)
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    _settle(path.parent)


def give(what: Path, owner_of: Path) -> None:
    """Give a file the owner of another; only root has to, and can. A link is given itself, not its target."""
    if os.geteuid() == 0:
        os.chown(what, *_owner(owner_of), follow_symlinks=False)


def _owner(of: Path) -> tuple[int, int]:
    found = of.stat()
    return found.st_uid, found.st_gid


def _settle(directory: Path) -> None:
    """Flush a directory's names to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear_left_behind(path: Path) -> None:
    """Delete the leftovers of writers that a power cut ended, which would fill the card in time."""
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
        return True  # another user's process
    return True
