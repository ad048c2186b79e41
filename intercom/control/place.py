"""Where the control socket is. Imports next to nothing: commands use it from cold."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "control.sock"
SYSTEM_DIRECTORY = Path("/run/intercom")
"""What systemd makes for the unit's RuntimeDirectory."""
ADDRESS_LIMIT_BYTES = 100
"""The kernel takes 107."""


def served_at(state_dir: Path, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Where the service puts its socket, and whether that is in memory (`$RUNTIME_DIRECTORY`)."""
    if runtime := environ.get("RUNTIME_DIRECTORY"):
        return Path(runtime.split(":")[0]) / NAME, True
    return state_dir / NAME, False


def looked_for_at(environ: Mapping[str, str]) -> list[Path]:
    """Where a command looks for it, the likeliest first: the service's, then the user's own, then the demo's."""
    if given := environ.get("INTERCOM_SOCKET"):
        return [Path(given)]
    base = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME", "/"), ".local/state")  # noqa: PTH118 - text
    own = Path(base) / "intercom"
    return [SYSTEM_DIRECTORY / NAME, own / NAME, own / "demo" / NAME]


def find(environ: Mapping[str, str]) -> Path:
    """The socket that is there; where the service would make it if none is."""
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
    """An address for bind and connect, however long the path is."""
    if len(os.fsencode(path)) <= ADDRESS_LIMIT_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
