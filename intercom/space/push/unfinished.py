"""Keeps the rings that devices show, so that a space which dies while it rings ends them when it is back."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec

from intercom import atomic_file

logger = logging.getLogger(__name__)

OLDEST_S: Final = 24 * 3600.0
"""Age limit of a ring that is ended after a restart: an older notification was seen or wiped away."""


class ShownRing(msgspec.Struct, frozen=True):
    """A ring that devices show."""

    id: str
    """The ring's id."""
    door: str
    """Display name of the door, after that of its button where it has several."""
    began_at: float
    """Time of the beginning, seconds since 1970."""
    devices: list[str]
    """The devices that were told, as subscriptions name them."""


class Unfinished:
    """The file of the rings that are shown now; a missing or broken one holds none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def left(self, now: float) -> list[ShownRing]:
        """Return the rings that an earlier process left; `now` is the time of day."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=list[ShownRing])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as problem:
            logger.warning("The rings of before the restart cannot be read: %s.", problem)
            return []
        return [ring for ring in found if abs(now - ring.began_at) < OLDEST_S]

    def keep(self, rings: list[ShownRing]) -> None:
        """Write down the rings that are shown now. It waits for the disk: not for the event loop."""
        try:
            atomic_file.replace(self._path, msgspec.json.encode(rings))
        except OSError as problem:
            logger.warning("The rings cannot be kept for a restart: %s.", problem)
