"""Commands that an administrator types at an installed door stand in the service's place: its state, secrets, user.

systemd names these to the service; a shell does not. Without this `sudo intercom space pair` would look into root's
own home, and leave files there, or in the service's state, that the service cannot read.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import MutableMapping
from pathlib import Path

SETTINGS = Path("/etc/intercom")
"""What the unit loads its credentials from."""
STATE = Path("/var/lib/intercom")
"""What systemd makes for the unit's StateDirectory."""


def take_its_place(environ: MutableMapping[str, str]) -> None:
    """Name to this process what systemd names to the service, where that is installed and this user may look."""
    if os.access(STATE, os.R_OK | os.W_OK | os.X_OK):
        environ.setdefault("STATE_DIRECTORY", str(STATE))
    if SETTINGS.is_dir():
        environ.setdefault("CREDENTIALS_DIRECTORY", str(SETTINGS))


def become_its_user() -> None:
    """Give up root for the service's user, for good: what is written from here on belongs to the service."""
    if os.geteuid() != 0 or not STATE.is_dir():
        return
    owner = pwd.getpwuid(STATE.stat().st_uid)
    if owner.pw_uid != 0:
        os.initgroups(owner.pw_name, owner.pw_gid)
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)
        os.environ["HOME"] = owner.pw_dir


def is_its_user() -> bool:
    """Whether this process may do what the service may, or no service is installed here."""
    return os.geteuid() == 0 or not STATE.is_dir() or STATE.stat().st_uid == os.geteuid()
