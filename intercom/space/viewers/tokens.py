"""Keeps the viewers and the hashes of their tokens: a token lets look through the doors' cameras, and nothing else."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import StoreError, ViewerError
from intercom.space.store.database import Database

logger = logging.getLogger(__name__)

TOKEN_BYTES: Final = 32
"""Length of a token."""
VIEWERS_LIMIT: Final = 32
"""Limit of viewers in one house; it has a recorder and a dashboard or two."""
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
"""Form of a viewer's name: it stands in URLs and in the log."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """One viewer."""

    name: str
    "The viewer's name."
    talks: bool
    "Whether it may hear the door and speak there, as far as the door lets it."
    added_at: str
    "Time at which it was added, ISO 8601."
    seen_on: str
    "The day on which it last watched, ISO 8601; empty when it never did."


class ViewerTokens:
    """The viewers in the space's database.

    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._db = database
        self._now = now

    def add(self, name: str, *, talks: bool) -> str:
        """Return the token of a new viewer; only its hash is kept. Raises `ViewerError` when it cannot be added."""
        if not NAME.fullmatch(name):
            raise ViewerError(f"{name!r} names no viewer; use up to 32 of a to z, 0 to 9 and dash, such as frigate.")
        known = [viewer.name for viewer in self.all()]
        if name in known:
            raise ViewerError(f"There is a viewer {name} already; remove it first, or choose another name.")
        if len(known) >= VIEWERS_LIMIT:
            raise ViewerError(f"There are {VIEWERS_LIMIT} viewers already; remove one first.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        added_at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        query = "INSERT INTO viewers (name, token_hash, talks, added_at) VALUES (?, ?, ?, ?)"
        self._db.write(lambda db: db.execute(query, (name, secret_hash(token), talks, added_at)))
        return token

    def all(self) -> list[Viewer]:
        """Return all viewers, by name."""
        rows = self._db.read("SELECT name, talks, added_at, seen_on FROM viewers ORDER BY name")
        return [Viewer(name, bool(talks), added_at, seen_on) for name, talks, added_at, seen_on in rows]

    def remove(self, name: str) -> None:
        """Remove a viewer: its token is worth nothing from now on. Raises `ViewerError` when there is none."""
        if name not in [viewer.name for viewer in self.all()]:
            raise ViewerError(f"There is no viewer {name!r}; `intercom space viewer list` shows those there are.")
        self._db.write(lambda db: db.execute("DELETE FROM viewers WHERE name = ?", (name,)))

    def hashes(self) -> set[str]:
        """Return the hashes of all tokens that count."""
        return {str(row[0]) for row in self._db.read("SELECT token_hash FROM viewers")}

    def owner_of(self, token: str) -> Viewer | None:
        """Return the viewer with this token; None when nobody has it."""
        self._db.refresh()  # another process may have made or removed it this very second
        query = "SELECT name, talks, added_at, seen_on FROM viewers WHERE token_hash = ?"
        row = self._db.read(query, (secret_hash(token),)).fetchone()
        return Viewer(row[0], bool(row[1]), row[2], row[3]) if row else None

    def seen(self, viewer: Viewer) -> None:
        """Note that a viewer watches today: once a day, to spare the SD card. A failure is only logged."""
        today = date.fromtimestamp(self._now()).isoformat()
        if viewer.seen_on == today:
            return
        try:
            query = "UPDATE viewers SET seen_on = ? WHERE name = ?"
            self._db.write(lambda db: db.execute(query, (today, viewer.name)))
        except StoreError as problem:
            logger.warning("It is not noted that a viewer was here: %s", problem)
