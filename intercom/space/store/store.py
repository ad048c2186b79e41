"""Keeps the space's records in one SQLite file: subscribers, addresses, groups, devices, codes and keys."""

from __future__ import annotations

import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import AddressError, TokenError
from intercom.space.push.subscriptions import Subscriptions
from intercom.space.quiet.kept_quiet import KeptQuiet
from intercom.space.shown_name import shown_name
from intercom.space.store.database import Database, Transaction
from intercom.space.store.open_codes import OpenCodes
from intercom.space.store.proofs import Proofs
from intercom.space.store.records import Address, Device, Kind, Place, Subscriber
from intercom.space.viewers.tokens import ViewerTokens

PATIENCE_S: Final = 0.5
"""Time limit for a write of the running space to wait for another process; its calls wait meanwhile."""
DATABASE: Final = "space.sqlite3"
"""Name of the database file in the state directory."""
SCHEMA_VERSION: Final = 8
"""Newest version of the tables; schema-1.sql to schema-8.sql lead there, one step each."""
DEVICE_SECRET_BYTES: Final = 32
"""Length of a device's secret."""
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._~-]{0,62}[a-z0-9])?")
"""Form of a subscriber's or group's name: it becomes part of an address."""
DOORS_ONLY: Final = "door"
"""Prefix reserved for a door's name in addresses: nobody who pairs a phone gets such an address."""

_ADDRESSES: Final = (
    "SELECT a.id, a.name, a.display_name, a.kind, a.resource_id, a.created_at, COALESCE(s.kind, '') "
    "FROM addresses a LEFT JOIN subscribers s ON s.id = a.resource_id"
)


class Store:
    """The space's records. Several processes may use the file at once.

    :param path: the database; made with mode 0600, its directory with 0700.
    :param now: the time of day, seconds since 1970.
    :param patience_s: how long a write waits for another process.
    Raises `StoreError` when the file cannot be opened or is damaged; so does everything that writes, when it cannot.
    """

    def __init__(self, path: Path, *, now: Callable[[], float], patience_s: float = PATIENCE_S) -> None:
        self._now = now
        self._db = Database(path, migrate=_migrate, patience_s=patience_s)
        self.subscriptions = Subscriptions(self._db)
        "The devices' push subscriptions."
        self.codes = OpenCodes(self._db)
        "The pairing codes."
        self.proofs = Proofs(self._db, now=now)
        "What each device has proved of its reach."
        self.quiet = KeptQuiet(self._db)
        "When each device, and the house, wants it to be quiet."
        self.viewers = ViewerTokens(self._db, now=now)
        "Who looks through the doors' cameras with a token."

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    # -- single values: ids and keys --------------------------------------------------------------------

    def value(self, key: str, make: Callable[[], str]) -> str:
        """Return the value kept under `key`; it is made and kept the first time."""
        row = self._db.read("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        if row:
            return str(row[0])
        made = make()
        self._db.write(lambda db: db.execute("INSERT INTO settings VALUES (?, ?)", (key, made)))
        return made

    def place(self) -> Place | None:
        """Return the last place of the space; None when it was never served."""
        row = self._db.read("SELECT value FROM settings WHERE key = 'place'").fetchone()
        if row is None:
            return None
        url, host, port = str(row[0]).split()
        return Place(url, host, int(port))

    def serve_at(self, place: Place) -> None:
        """Note the place of the space; a known one costs no write."""
        if self.place() != place:
            value = f"{place.url} {place.host} {place.port}"
            self._db.write(lambda db: db.execute("INSERT OR REPLACE INTO settings VALUES ('place', ?)", (value,)))

    def trust_url(self) -> str:
        """Return the URL at which devices learn to trust the running space; empty while it hands nothing out."""
        row = self._db.read("SELECT value FROM settings WHERE key = 'trust_url'").fetchone()
        return str(row[0]) if row else ""

    def trusted_at(self, url: str) -> None:
        """Note that URL; a known one costs no write."""
        if self.trust_url() != url:
            self._db.write(lambda db: db.execute("INSERT OR REPLACE INTO settings VALUES ('trust_url', ?)", (url,)))

    def changed_elsewhere(self) -> bool:
        """Return whether another connection, such as another process's, has written since the last call."""
        return self._db.news()

    # -- subscribers and groups --------------------------------------------------------------------------

    def add_subscriber(
        self,
        reference: str,
        display_name: str = "",
        *,
        groups: tuple[str, ...] = (),
        kind: Kind = "resident",
        invited_by: str = "",
    ) -> Subscriber:
        """Return the subscriber `reference`, made if new, with its address /private/<reference>; it joins `groups`.

        One that is known keeps its name and kind. Raises `AddressError` when the name cannot be an address or is a
        group's.
        """
        _check_name(reference)

        def add(db: Transaction) -> Subscriber:
            known = self._subscriber("reference", reference)
            if known is None:
                known = Subscriber(secrets.token_hex(16), reference, shown_name(display_name, reference), kind)
                row = (known.id, known.reference, known.display_name, known.kind, invited_by)
                db.execute("INSERT INTO subscribers VALUES (?, ?, ?, ?, ?)", row)
                self._add_address(db, f"/private/{reference}", known.display_name, "subscriber", known.id)
            for group in groups:
                db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (self._group_id(group), known.id))
            return known

        known = self._subscriber("reference", reference)
        if known is not None and all(known.id in (self.ringing_at(f"/private/{group}") or ()) for group in groups):
            return known
        return self._db.write(add)

    def add_group(self, name: str, display_name: str = "") -> None:
        """Make the group `name` with its address /private/<name>, if it is new."""
        _check_name(name)

        def add(db: Transaction) -> None:
            if not self._has_group(name):
                group_id = secrets.token_hex(16)
                db.execute("INSERT INTO groups VALUES (?, ?)", (group_id, name))
                self._add_address(db, f"/private/{name}", display_name or name.capitalize(), "call", group_id)

        if not self._has_group(name):
            self._db.write(add)

    def _has_group(self, name: str) -> bool:
        return self._db.read("SELECT 1 FROM groups WHERE name = ?", (name,)).fetchone() is not None

    def add_app(self, name: str, display_name: str, subscriber: Subscriber) -> None:
        """Give `subscriber` the further address /public/<name> of an application."""
        _check_name(name)
        address = f"/public/{name}"
        if self.address(address) is None:
            self._db.write(lambda db: self._add_address(db, address, display_name, "app", subscriber.id))

    def free_reference(self, wanted: str) -> str:
        """Return `wanted` as a valid reference that nobody has yet: "Kitchen tablet" becomes kitchen-tablet-2."""
        plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "station"
        base = f"station-{base}" if base.startswith(DOORS_ONLY) else base
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

    def remove_subscriber(self, reference: str) -> None:
        """Delete a subscriber with its address, devices and memberships; its tokens are invalid from now on."""

        def remove(db: Transaction) -> None:
            db.execute(
                "DELETE FROM addresses WHERE resource_id = (SELECT id FROM subscribers WHERE reference = ?)",
                (reference,),
            )
            db.execute("DELETE FROM subscribers WHERE reference = ?", (reference,))

        self._db.write(remove)

    def _subscriber(self, column: Literal["id", "reference"], value: str) -> Subscriber | None:
        query = {
            "id": "SELECT id, reference, display_name, kind FROM subscribers WHERE id = ?",
            "reference": "SELECT id, reference, display_name, kind FROM subscribers WHERE reference = ?",
        }[column]
        row = self._db.read(query, (value,)).fetchone()
        return Subscriber(*row) if row else None

    def _group_id(self, name: str) -> str:
        row = self._db.read("SELECT id FROM groups WHERE name = ?", (name,)).fetchone()
        if not row:
            raise AddressError(f"There is no group {name!r} in this space; add it first.")
        return str(row[0])

    # -- addresses ---------------------------------------------------------------------------------------

    def _add_address(self, db: Transaction, name: str, display_name: str, kind: str, resource_id: str) -> None:
        if self.address(name) is not None:
            raise AddressError(f"The address {name} is taken; choose another name.")
        created_at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        row = (secrets.token_hex(16), name, display_name, kind, resource_id, created_at)
        db.execute("INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?)", row)

    def address(self, name: str) -> Address | None:
        """Return the address that is dialled as `name`."""
        return self._address(f"{_ADDRESSES} WHERE a.name = ?", name)

    def address_by_id(self, address_id: str) -> Address | None:
        """Return the address with this id."""
        return self._address(f"{_ADDRESSES} WHERE a.id = ?", address_id)

    def addresses_of(self, subscriber_id: str) -> list[Address]:
        """Return the addresses that ring this subscriber alone, its own name first."""
        rows = self._db.read(f"{_ADDRESSES} WHERE a.resource_id = ? ORDER BY a.name", (subscriber_id,))
        return [Address(*row) for row in rows]

    def addresses(self, *, offset: int, limit: int, descending: bool = False) -> list[Address]:
        """Return one page of the directory, sorted by name; an application stands there by its public address alone."""
        once = "NOT (a.kind = 'subscriber' AND s.kind IS 'app')"
        query = f"{_ADDRESSES} WHERE {once} ORDER BY a.name {'DESC' if descending else 'ASC'} LIMIT ? OFFSET ?"
        return [Address(*row) for row in self._db.read(query, (limit, offset))]

    def display_name(self, name: str) -> str:
        """Return the display name of the address `name`; the name itself when nobody has it."""
        found = self.address(name)
        return found.display_name if found else name

    def ringing_at(self, name: str) -> list[str] | None:
        """Return the ids of the subscribers whom a call to `name` rings; `None` when there is no such address."""
        found = self.address(name)
        if found is None:
            return None
        if found.kind != "call":
            return [found.resource_id]
        rows = self._db.read("SELECT subscriber_id FROM members WHERE group_id = ?", (found.resource_id,))
        return [str(row[0]) for row in rows]

    def _address(self, query: str, value: str) -> Address | None:
        row = self._db.read(query, (value,)).fetchone()
        return Address(*row) if row else None

    # -- devices -----------------------------------------------------------------------------------------

    def rename(self, subscriber: Subscriber, wanted: str) -> Subscriber:
        """Give a subscriber another display name; its address stays. Return it as it is now."""
        named = replace(subscriber, display_name=shown_name(wanted, subscriber.reference))

        def write(db: Transaction) -> None:
            db.execute("UPDATE subscribers SET display_name = ? WHERE id = ?", (named.display_name, named.id))
            db.execute("UPDATE addresses SET display_name = ? WHERE resource_id = ?", (named.display_name, named.id))
            db.execute("UPDATE devices SET name = ? WHERE subscriber_id = ?", (named.display_name, named.id))

        if named != subscriber:
            self._db.write(write)
        return named

    def add_device(self, subscriber: Subscriber, name: str) -> str:
        """Return a new secret for one device of `subscriber`; only its hash is kept."""
        secret = secrets.token_urlsafe(DEVICE_SECRET_BYTES)
        row = (secret_hash(secret), subscriber.id, shown_name(name, ""))
        query = "INSERT INTO devices (secret_hash, subscriber_id, name) VALUES (?, ?, ?)"
        self._db.write(lambda db: db.execute(query, row))
        return secret

    def owner_of(self, device_secret: str) -> Subscriber:
        """Return the subscriber whose device has this secret; raises `TokenError` when none has."""
        self._db.refresh()  # another process may have made or removed it this very second
        row = self._db.read(
            "SELECT s.id, s.reference, s.display_name, s.kind FROM devices d "
            "JOIN subscribers s ON s.id = d.subscriber_id WHERE d.secret_hash = ?",
            (secret_hash(device_secret),),
        ).fetchone()
        if row is None:
            raise TokenError("No device of this space has this secret; pair the device again.")
        return Subscriber(*row)

    def devices(self) -> list[Device]:
        """Return the devices that can sign in, by name; a subscriber with several secrets is one device."""
        rows = self._db.read(
            "SELECT s.reference, s.display_name, a.name, a.created_at, MAX(d.seen_on), s.kind, s.invited_by, "
            "count(p.endpoint) > 0, COALESCE(MAX(p.shown_at), 0), COALESCE(MAX(p.trouble), ''), "
            "MAX(d.registered_on), MAX(d.rang_at), MAX(d.woken_at) "
            "FROM subscribers s "
            "JOIN devices d ON d.subscriber_id = s.id "
            "LEFT JOIN subscriptions p ON p.secret_hash = d.secret_hash "
            "JOIN addresses a ON a.resource_id = s.id AND a.kind = 'subscriber' "
            "GROUP BY s.id ORDER BY s.reference"
        )
        return [replace(device, push=bool(device.push)) for device in (Device(*row) for row in rows)]

    def count_invited(self) -> int:
        """Return how many subscribers were let in by others."""
        (count,) = self._db.read("SELECT count(*) FROM subscribers WHERE invited_by <> ''").fetchone()
        return int(count)


def _migrate(db: sqlite3.Connection) -> None:
    """Migrate the tables to the newest version, in one transaction."""
    if _schema(db) == SCHEMA_VERSION:
        return
    db.create_function("shown", 2, shown_name, deterministic=True)
    db.execute("BEGIN EXCLUSIVE")
    try:
        for version in range(_schema(db) + 1, SCHEMA_VERSION + 1):
            step = files("intercom.space.store").joinpath(f"schema-{version}.sql").read_text(encoding="utf-8")
            for statement in step.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={version}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _schema(db: sqlite3.Connection) -> int:
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"it was written by a newer version (schema {found})")
    return int(found)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise AddressError(
            f"{name!r} cannot be an address; use up to 64 of a to z, 0 to 9, dot, dash and underscore, such as door."
        )
