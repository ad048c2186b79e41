"""Let an administrator's commands at an installed door use the service's state, secrets and user.

systemd names these to each service; a shell does not. Without this `sudo intercom space pair` would look into root's
own home, and leave files there, or in the service's state, that the service cannot read.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

SETTINGS = Path("/etc/intercom")
"""Directory from which the unit loads its credentials."""
STATE = Path("/var/lib/intercom")
"""StateDirectory of the door's unit, made by systemd."""
SPACE_STATE = Path("/var/lib/intercom-space")
"""StateDirectory of the space's unit. The door may read one file in it, its credential, and list nothing."""


def take_its_place(environ: MutableMapping[str, str]) -> None:
    """Set the door's environment as systemd does, if the door is installed and this user may read its state."""
    _take_state(environ, STATE)
    if SPACE_STATE.is_dir():
        environ.setdefault("INTERCOM_SPACE_STATE", str(SPACE_STATE))
    if SETTINGS.is_dir():
        environ.setdefault("CREDENTIALS_DIRECTORY", str(SETTINGS))


def take_the_space_s_place(environ: MutableMapping[str, str]) -> None:
    """Set the space's environment as systemd does, if the space is installed and this user may read its state."""
    _take_state(environ, SPACE_STATE)


def _take_state(environ: MutableMapping[str, str], state: Path) -> None:
    if os.access(state, os.R_OK | os.W_OK | os.X_OK):
        environ.setdefault("STATE_DIRECTORY", str(state))


def become_its_user() -> None:
    """Give up root for the door's user for good, so that new files belong to the door."""
    become_owner_of(STATE)


def become_owner_of(directory: Path) -> None:
    """Give up root for good for the user that owns this directory; keep it if the directory is missing or root's."""
    if os.geteuid() != 0 or not directory.is_dir():
        return
    owner = pwd.getpwuid(directory.stat().st_uid)
    if owner.pw_uid != 0:
        os.initgroups(owner.pw_name, owner.pw_gid)
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)
        os.environ["HOME"] = owner.pw_dir


@contextmanager
def as_owner_of(directory: Path) -> Iterator[None]:
    """Act as the user that owns this directory inside the block, then as root again: for a file that root hands out."""
    if os.geteuid() != 0 or not directory.is_dir():
        yield
        return
    owner, groups = pwd.getpwuid(directory.stat().st_uid), os.getgroups()
    os.initgroups(owner.pw_name, owner.pw_gid)
    os.setegid(owner.pw_gid)
    os.seteuid(owner.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def is_its_user() -> bool:
    """Return whether this process has the service's rights, or no service is installed here."""
    return os.geteuid() == 0 or not STATE.is_dir() or STATE.stat().st_uid == os.geteuid()
