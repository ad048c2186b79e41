"""Move the state of door and space from one user's directories to those of two users: once for each machine, as root.

Both units run `python -m intercom.service.state_move` before they start, as long as `MOVED` is not there. The directory
that is moved out of belongs to a service: nothing in it is followed, and nothing is taken twice, else that service
could hand keys to root. Each step is one rename, so that a power cut leaves a machine on which the next start does the
rest.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from intercom import atomic_file
from intercom.config import ConfigError, load
from intercom.control.ssh_keys import INSTALLED, AuthorizedKeys
from intercom.service.run_as_service import SETTINGS, SPACE_STATE, STATE

MOVED = SETTINGS / "two-users"
"""Root's marker that the move is done; files that appear in the door's directory later never count as an old state."""
NOTE = b"The door and its space have a user each; what they kept as one user was moved. Do not remove this file.\n"
DOOR_USER, SPACE_USER = "intercom", "intercom-space"
SPACE_FILES = ("space.sqlite3", "space.sqlite3-journal", "calls.json", "tls.crt", "tls.key", "door.json")
"""Names of the space's files. Its TURN server keeps nothing that outlives a start."""
OLD_KEYS = Path(".ssh/authorized_keys")
FILE_LIMIT_BYTES = 256 * 1024 * 1024
"""Size limit of one file; a space of a thousand devices has 1 MB."""


def main() -> int:
    """Move the old state, if any, and return 0; also when it was moved before."""
    SETTINGS.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _alone():
        if MOVED.exists():
            return 0
        door = pwd.getpwnam(DOOR_USER).pw_uid
        if STATE.is_dir():
            _move_space(door, pwd.getpwnam(SPACE_USER))
            _move_keys(door)
            _give_turn_secret(door, pwd.getpwnam(SPACE_USER))
        try:
            atomic_file.replace(MOVED, NOTE, mode=0o644)
        except OSError as error:
            if error.errno != errno.EROFS:  # on a read-only disk nothing that appears later is taken, either
                raise
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock, so that only one of the two units moves the state."""
    directory = os.open(SETTINGS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _move_space(door: int, space: pwd.struct_passwd) -> None:
    """Move the whole state of the space by one rename, and only then delete the old files."""
    old = os.open(STATE, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not (SPACE_STATE / SPACE_FILES[0]).exists():
            found = {name: data for name in SPACE_FILES if (data := _read(old, name, door)) is not None}
            if SPACE_FILES[0] not in found:
                return
            new = SPACE_STATE.with_name(f".{SPACE_STATE.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(mode=0o700)
            for name, data in found.items():
                # The door reads its credential through the group; only the space reads the rest.
                atomic_file.replace(new / name, data, mode=0o640 if name == "door.json" else 0o600)
                os.chown(new / name, space.pw_uid, space.pw_gid)
            os.chown(new, space.pw_uid, space.pw_gid)
            new.chmod(0o710)
            new.rename(SPACE_STATE)  # onto nothing, or onto the empty directory that systemd has made
            _say(f"The space's state was moved to {SPACE_STATE}.")
        for name in SPACE_FILES:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=old)
    finally:
        os.close(old)


def _move_keys(door: int) -> None:
    """Move the SSH keys with a restricted line; any other line would be a way in that nobody watches."""
    try:
        directory = os.open(STATE / OLD_KEYS.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        data = _read(directory, OLD_KEYS.name, door)
        if data is None:
            return
        before = len(data.splitlines())
        kept = AuthorizedKeys(INSTALLED).take_over(data.decode("utf-8", "surrogateescape"))
        _say(f"{kept} of {before} SSH keys were moved to {INSTALLED}; `intercom ssh-key list` shows them.")
        os.unlink(OLD_KEYS.name, dir_fd=directory)
    finally:
        os.close(directory)


def _give_turn_secret(door: int, space: pwd.struct_passwd) -> None:
    """Give the file with the secret of a foreign TURN server from the door to the space, its only reader."""
    try:
        named = load(SETTINGS / "intercom.toml").space.turn_secret_file
        descriptor = os.open(named, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (ConfigError, OSError):
        return
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == door:
            os.fchown(descriptor, space.pw_uid, space.pw_gid)
    finally:
        os.close(descriptor)


def _read(directory: int, name: str, owner: int) -> bytes | None:
    """Return the content of this owner's file under one name alone; None for a link or anything else."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != owner:
            return None
        return file.read(FILE_LIMIT_BYTES)


def _say(sentence: str) -> None:
    sys.stderr.write(f"intercom: {sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
