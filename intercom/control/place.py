"""Finds the control socket; imports almost nothing, because commands use it from a cold start."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "control.sock"
"""Name of the control socket's file."""
SYSTEM_DIRECTORY = Path("/run/intercom")
"""Directory that systemd creates for the unit's RuntimeDirectory."""
ADDRESS_LIMIT_BYTES = 100
"""Limit of a socket's address; the kernel takes 107 bytes."""


def served_at(state_dir: Path, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Return the path at which the service puts its socket, and whether it is in memory (`$RUNTIME_DIRECTORY`)."""
    if runtime := environ.get("RUNTIME_DIRECTORY"):
        return Path(runtime.split(":")[0]) / NAME, True
    return state_dir / NAME, False


def looked_for_at(environ: Mapping[str, str]) -> list[Path]:
    """Return the paths at which a command looks for the socket: the service's, then the user's own, then the demo's."""
    if given := environ.get("INTERCOM_SOCKET"):
        return [Path(given)]
    base = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME", "/"), ".local/state")  # noqa: PTH118 - text
    own = Path(base) / "intercom"
    return [SYSTEM_DIRECTORY / NAME, own / NAME, own / "demo" / NAME]


def find(environ: Mapping[str, str]) -> Path:
    """Return the first socket that exists; the service's path if none does."""
    places = looked_for_at(environ)
    return next((place for place in places if _is_there(place)), places[0])


def _is_there(place: Path) -> bool:
    try:
        place.lstat()
    except PermissionError:
        return True  # there, but not for this user, which connecting will tell
    except OSError:
        return False
    return True


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Return an address of this path for bind and connect, however long the path is."""
    if len(os.fsencode(path)) <= ADDRESS_LIMIT_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
