"""What the space must remember, in one SQLite file: subscribers, addresses, groups, devices and keys.

The rollback journal with `synchronous=EXTRA` survives a power cut at any moment, needs no second file while
idle, and writes nothing when nothing changes (SQLite documentation, "PRAGMA synchronous").
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from intercom.space.errors import AddressError, StoreError, TokenError

SCHEMA_VERSION: Final = 1
DEVICE_SECRET_BYTES: Final = 32
"""256 bits: nothing to guess, so a plain hash suffices to keep it."""
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""What a subscriber or group may be called: it becomes part of an address."""
DISPLAY_NAME_LIMIT_CHARS: Final = 64

Context = Literal["private", "public"]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody, or something, that can register."""

    id: str
    "A random hexadecimal id; the SAT's subject."
    reference: str
    "Its name in addresses, such as door."
    display_name: str
    "What people read."


@dataclass(frozen=True, slots=True)
class Address:
    """Something that can be dialled (protocol §2)."""

    id: str
    "A random hexadecimal id."
    name: str
    "What is dialled, such as /private/house."
    display_name: str
    "What people read."
    kind: Literal["app", "call", "room", "subscriber"]
    "What answers there."
    resource_id: str
    "The subscriber's or group's id."
    created_at: str
    "ISO 8601, UTC."


class Store:
    """The space's memory.

    :param path: the database; made with mode 0600, its directory with 0700.
    :param now: the time of day, seconds since 1970.
    Raises `StoreError` when the file cannot be opened or is damaged.
    """

    def __init__(self, path: Path, *, now: Callable[[], float]) -> None:
        self._now = now
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.executescript("PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON;")
            self._migrate()
        except (OSError, sqlite3.Error) as problem:
            raise StoreError(
                f"The space cannot use its database {path}: {problem}. "
                "If the file is damaged, move it away; stations then pair again."
            ) from problem

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _migrate(self) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"it was written by a newer version (schema {found})")
        if found == SCHEMA_VERSION:
            return
        schema = files("intercom.space").joinpath("schema.sql").read_text(encoding="utf-8")
        self._db.executescript(f"BEGIN EXCLUSIVE; {schema} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- single values: ids and keys --------------------------------------------------------------------

    def value(self, key: str, make: Callable[[], str]) -> str:
        """The value kept under `key`; made and kept the first time."""
        row = self._db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        if row:
            return str(row[0])
        made = make()
        self._db.execute("INSERT INTO settings VALUES (?, ?)", (key, made))
        return made

    # -- subscribers and groups --------------------------------------------------------------------------

    def add_subscriber(self, reference: str, display_name: str = "", *, groups: tuple[str, ...] = ()) -> Subscriber:
        """The subscriber `reference`, made if new, with its address /private/<reference>; joins `groups`.

        Raises `AddressError` when the name cannot be an address or is a group's.
        """
        _check_name(reference)
        display_name = display_name.strip()[:DISPLAY_NAME_LIMIT_CHARS]
        with self._transaction() as db:
            known = self._subscriber("reference", reference)
            if known is None:
                known = Subscriber(secrets.token_hex(16), reference, display_name or reference)
                db.execute("INSERT INTO subscribers VALUES (?, ?, ?)", (known.id, known.reference, known.display_name))
                self._add_address(f"/private/{reference}", known.display_name, "subscriber", known.id)
            for group in groups:
                db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (self._group_id(group), known.id))
        return known

    def add_group(self, name: str, display_name: str = "") -> None:
        """Make the group `name` with its address /private/<name>, if it is new."""
        _check_name(name)
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM groups WHERE name = ?", (name,)).fetchone():
                group_id = secrets.token_hex(16)
                self._db.execute("INSERT INTO groups VALUES (?, ?)", (group_id, name))
                self._add_address(f"/private/{name}", display_name or name.capitalize(), "call", group_id)

    def add_app(self, name: str, display_name: str, subscriber: Subscriber) -> None:
        """Give `subscriber` the further address /public/<name> of an application."""
        _check_name(name)
        with self._transaction():
            if self.address(f"/public/{name}") is None:
                self._add_address(f"/public/{name}", display_name, "app", subscriber.id)

    def free_reference(self, wanted: str) -> str:
        """`wanted` as a valid reference that nobody has yet: "Kitchen tablet" becomes kitchen-tablet-2."""
        plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "station"
        reference, count = base, 1
        while self.address(f"/private/{reference}") is not None:
            count += 1
            reference = f"{base}-{count}"
        return reference

    def subscriber(self, reference: str) -> Subscriber | None:
        """Look a subscriber up by its name."""
        return self._subscriber("reference", reference)

    def subscriber_by_id(self, subscriber_id: str) -> Subscriber | None:
        """Look a subscriber up by its id, the SAT's subject."""
        return self._subscriber("id", subscriber_id)

    def subscribers(self) -> list[Subscriber]:
        """All subscribers, by name."""
        rows = self._db.execute("SELECT id, reference, display_name FROM subscribers ORDER BY reference")
        return [Subscriber(*row) for row in rows]

    def remove_subscriber(self, reference: str) -> None:
        """Forget a subscriber with its address, devices and memberships; its tokens are worth nothing from now on."""
        with self._transaction() as db:
            db.execute(
                "DELETE FROM addresses WHERE resource_id = (SELECT id FROM subscribers WHERE reference = ?)",
                (reference,),
            )
            db.execute("DELETE FROM subscribers WHERE reference = ?", (reference,))

    def _subscriber(self, column: Literal["id", "reference"], value: str) -> Subscriber | None:
        query = {
            "id": "SELECT id, reference, display_name FROM subscribers WHERE id = ?",
            "reference": "SELECT id, reference, display_name FROM subscribers WHERE reference = ?",
        }[column]
        row = self._db.execute(query, (value,)).fetchone()
        return Subscriber(*row) if row else None

    def _group_id(self, name: str) -> str:
        row = self._db.execute("SELECT id FROM groups WHERE name = ?", (name,)).fetchone()
        if not row:
            raise AddressError(f"There is no group {name!r} in this space; add it first.")
        return str(row[0])

    # -- addresses ---------------------------------------------------------------------------------------

    def _add_address(self, name: str, display_name: str, kind: str, resource_id: str) -> None:
        if self.address(name) is not None:
            raise AddressError(f"The address {name} is taken; choose another name.")
        created_at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        row = (secrets.token_hex(16), name, display_name, kind, resource_id, created_at)
        self._db.execute("INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?)", row)

    def address(self, name: str) -> Address | None:
        """The address that is dialled as `name`."""
        return self._address("SELECT * FROM addresses WHERE name = ?", name)

    def address_by_id(self, address_id: str) -> Address | None:
        """The address with this id."""
        return self._address("SELECT * FROM addresses WHERE id = ?", address_id)

    def addresses_of(self, subscriber_id: str) -> list[Address]:
        """The addresses that ring this subscriber alone, its own name first."""
        rows = self._db.execute("SELECT * FROM addresses WHERE resource_id = ? ORDER BY name", (subscriber_id,))
        return [Address(*row) for row in rows]

    def addresses(self, *, offset: int, limit: int, descending: bool = False) -> list[Address]:
        """One page of the directory, sorted by name."""
        query = "SELECT * FROM addresses ORDER BY name ASC LIMIT ? OFFSET ?"
        if descending:
            query = "SELECT * FROM addresses ORDER BY name DESC LIMIT ? OFFSET ?"
        return [Address(*row) for row in self._db.execute(query, (limit, offset))]

    def display_name(self, name: str) -> str:
        """What people read for the address `name`; the name itself when nobody has it."""
        found = self.address(name)
        return found.display_name if found else name

    def ringing_at(self, name: str) -> list[str] | None:
        """The ids of the subscribers whom a call to `name` rings; `None` when there is no such address."""
        found = self.address(name)
        if found is None:
            return None
        if found.kind != "call":
            return [found.resource_id]
        rows = self._db.execute("SELECT subscriber_id FROM members WHERE group_id = ?", (found.resource_id,))
        return [str(row[0]) for row in rows]

    def _address(self, query: str, value: str) -> Address | None:
        row = self._db.execute(query, (value,)).fetchone()
        return Address(*row) if row else None

    # -- devices -----------------------------------------------------------------------------------------

    def add_device(self, subscriber: Subscriber, name: str) -> str:
        """A new secret for one device of `subscriber`; only its hash is kept."""
        secret = secrets.token_urlsafe(DEVICE_SECRET_BYTES)
        row = (_hash(secret), subscriber.id, name.strip()[:DISPLAY_NAME_LIMIT_CHARS])
        self._db.execute("INSERT INTO devices VALUES (?, ?, ?)", row)
        return secret

    def owner_of(self, device_secret: str) -> Subscriber:
        """The subscriber whose device has this secret; raises `TokenError` when none has."""
        row = self._db.execute(
            "SELECT s.id, s.reference, s.display_name FROM devices d JOIN subscribers s ON s.id = d.subscriber_id "
            "WHERE d.secret_hash = ?",
            (_hash(device_secret),),
        ).fetchone()
        if not row:
            raise TokenError("No device of this space has this secret; pair the device again.")
        return Subscriber(*row)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise AddressError(
            f"{name!r} cannot be an address; use up to 64 of a to z, 0 to 9, dot, dash and underscore, such as door."
        )
