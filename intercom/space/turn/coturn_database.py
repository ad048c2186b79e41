"""Writes the database that coturn reads while it runs: the secrets of its passwords, and the peers it may reach.

Each subscriber has a secret of its own, so that one can be locked out and nobody else notices. A deleted secret holds
no more at once; the list of peers is read again within five seconds (coturn: `update_white_and_black_lists`).
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from intercom.space.names import IPAddress

REALM: Final = "intercom"
_GIVE: Final = "INSERT INTO turn_secret VALUES (?, ?, ?)"
_TABLES: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE turn_secret (
    realm varchar(127) DEFAULT '', value varchar(127), subscriber varchar(64), PRIMARY KEY (realm, value)
);
CREATE TABLE allowed_peer_ip (realm varchar(127) DEFAULT '', ip_range varchar(256), PRIMARY KEY (realm, ip_range));
CREATE TABLE denied_peer_ip (realm varchar(127) DEFAULT '', ip_range varchar(256), PRIMARY KEY (realm, ip_range));
"""
"""Tables of coturn's own schema, and the owner of each secret. The write-ahead log keeps coturn from meeting a lock."""


class TurnBook:
    """The passwords' secrets and the allowed peers; `open` writes them for coturn, anew for each of its processes."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._secrets: dict[str, str] = {}
        self._peers: frozenset[str] = frozenset()

    def open(self, path: Path, peers: Iterable[IPAddress]) -> None:
        """Make the database, mode 0600, with the known secrets and peers, and with `peers` added.

        Raises `OSError` or `sqlite3.Error` when it cannot be made.
        """
        self.close()
        for old in (path, *(path.with_name(path.name + tail) for tail in ("-wal", "-shm"))):
            old.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(_TABLES)
        for subscriber_id, secret in self._secrets.items():
            self._write(_GIVE, REALM, secret, subscriber_id)
        known, self._peers = self._peers, frozenset()
        self.allow({*(ipaddress.ip_address(peer) for peer in known), *peers})

    def close(self) -> None:
        """Close the database; coturn goes on reading it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @property
    def peers(self) -> frozenset[str]:
        """The addresses that relays may reach."""
        return self._peers

    @property
    def subscribers(self) -> set[str]:
        """Return the ids of the subscribers who have a secret."""
        return set(self._secrets)

    def secret_of(self, subscriber_id: str) -> str:
        """Return the secret of the subscriber's passwords; it is made the first time."""
        secret = self._secrets.get(subscriber_id)
        if secret is None:
            secret = secrets.token_urlsafe(32)
            self._write(_GIVE, REALM, secret, subscriber_id)
            self._secrets[subscriber_id] = secret
        return secret

    def forget(self, subscriber_id: str) -> None:
        """Revoke all passwords of the subscriber."""
        self._write("DELETE FROM turn_secret WHERE subscriber = ?", subscriber_id)
        self._secrets.pop(subscriber_id, None)

    def allow(self, peers: Iterable[IPAddress]) -> None:
        """Let relays reach only these addresses; known ones cost no write."""
        wanted = frozenset(str(peer) for peer in peers)
        for gone in self._peers - wanted:
            self._write("DELETE FROM allowed_peer_ip WHERE ip_range = ?", gone)
        for new in wanted - self._peers:
            self._write("INSERT OR IGNORE INTO allowed_peer_ip VALUES ('', ?)", new)
        self._peers = wanted

    def _write(self, statement: str, *values: str) -> None:
        if self._db is not None:
            self._db.execute(statement, values)
