"""Keeps in the space's database when each device, and the house, wants it to be quiet."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

import msgspec

from intercom.space.quiet.spells import Quiet
from intercom.space.store.database import Database

_HOUSE: Final = "quiet"
"""Key of the house's wish among the single values."""


@dataclass(frozen=True, slots=True)
class QuietDevice:
    """A device that has a wish of its own."""

    reference: str
    "The device's name in addresses."
    name: str
    "Display name, for people."
    quiet: Quiet
    "Its wish."


class KeptQuiet:
    """The wishes in the space's database. A wish that cannot be read, as of another version, is none."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of_house(self) -> Quiet:
        """Return the house's wish."""
        row = self._db.read("SELECT value FROM settings WHERE key = ?", (_HOUSE,)).fetchone()
        return _read(row)

    def keep_house(self, quiet: Quiet) -> None:
        """Keep the house's wish."""
        row = (_HOUSE, msgspec.json.encode(quiet).decode())
        self._db.write(lambda db: db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", row))

    def of_resident(self, subscriber_id: str) -> Quiet | None:
        """Return the wish of a resident's device; None for a door and an application, which are never quiet."""
        row = self._db.read(
            "SELECT s.kind, q.wish FROM subscribers s LEFT JOIN quiet q ON q.subscriber_id = s.id WHERE s.id = ?",
            (subscriber_id,),
        ).fetchone()
        return None if row is None or row[0] != "resident" else _read(row[1:])

    def of_residents(self) -> dict[str, Quiet]:
        """Return the wishes of the residents' devices that have one, by the residents' ids."""
        return {resident: _read((wish,)) for resident, wish in self._db.read("SELECT subscriber_id, wish FROM quiet")}

    def keep_resident(self, subscriber_id: str, quiet: Quiet) -> None:
        """Keep the wish of a resident's device; it is deleted with the device."""
        row = (subscriber_id, msgspec.json.encode(quiet).decode())
        self._db.write(lambda db: db.execute("INSERT OR REPLACE INTO quiet VALUES (?, ?)", row))

    def devices(self) -> list[QuietDevice]:
        """Return the devices that have a wish, by their names in addresses."""
        rows = self._db.read(
            "SELECT s.reference, s.display_name, q.wish FROM quiet q JOIN subscribers s ON s.id = q.subscriber_id "
            "ORDER BY s.reference"
        )
        return [QuietDevice(reference, name, _read((wish,))) for reference, name, wish in rows]


def _read(row: sqlite3.Row | tuple[str | None, ...] | None) -> Quiet:
    if row is None or row[0] is None:
        return Quiet()
    try:
        return msgspec.json.decode(row[0], type=Quiet)
    except msgspec.MsgspecError:
        return Quiet()
