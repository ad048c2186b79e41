"""Keeps the pairing codes that are open: each is claimed by one device at a time, and gone once that has got in."""

from __future__ import annotations

from intercom.space.store.database import Database, Transaction
from intercom.space.store.records import CodeClaimed, CodeLimits


class OpenCodes:
    """The open codes in the space's database, by their hashes. All times are seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self, code_hash: str, *, now: float, expires_at: float, maker: str | None, limits: CodeLimits) -> None:
        """Keep the hash of a new code of the subscriber `maker`, or of the owner; it is deleted with its maker.

        Too old ones are forgotten, and beyond `limits` the oldest of the same maker, then of all devices.
        """
        too_many_of_one = (
            "DELETE FROM pairing_codes WHERE code_hash IN (SELECT code_hash FROM pairing_codes WHERE maker IS ? "
            "ORDER BY expires_at DESC LIMIT -1 OFFSET ?)"
        )
        too_many_of_devices = (
            "DELETE FROM pairing_codes WHERE code_hash IN (SELECT code_hash FROM pairing_codes WHERE maker NOT NULL "
            "ORDER BY expires_at DESC LIMIT -1 OFFSET ?)"
        )
        insert = "INSERT OR REPLACE INTO pairing_codes (code_hash, expires_at, maker) VALUES (?, ?, ?)"

        def keep(db: Transaction) -> None:
            db.execute("DELETE FROM pairing_codes WHERE expires_at <= ? OR expires_at > ?", (now, expires_at))
            db.execute(insert, (code_hash, expires_at, maker))
            db.execute(too_many_of_one, (maker, limits.one_maker))
            db.execute(too_many_of_devices, (limits.devices,))

        self._db.write(keep)

    def known(self, after: float, until: float) -> list[str]:
        """Return the hashes of the codes that expire after `after` and not after `until`."""
        self._db.refresh()  # another process may have made one this very second
        query = "SELECT code_hash FROM pairing_codes WHERE expires_at > ? AND expires_at <= ?"
        return [str(row[0]) for row in self._db.read(query, (after, until))]

    def claim(self, code_hash: str, *, now: float, until: float) -> CodeClaimed | None:
        """Claim a code until `until`; None when it was used up, or is claimed by another device whose time runs.

        The device that claimed it before and never got in is removed: whoever holds its secret gets nothing by it.
        """

        def claim(db: Transaction) -> CodeClaimed | None:
            row = db.execute(
                "SELECT s.reference, c.claimed_by FROM pairing_codes c LEFT JOIN subscribers s ON s.id = c.maker "
                "WHERE c.code_hash = ? AND (c.claimed_until <= ? OR c.claimed_until > ?)",
                (code_hash, now, until),
            ).fetchone()
            if row is None:
                return None
            query = "UPDATE pairing_codes SET claimed_until = ?, claimed_by = NULL WHERE code_hash = ?"
            db.execute(query, (until, code_hash))
            db.execute("DELETE FROM addresses WHERE resource_id = ?", (row[1],))
            db.execute("DELETE FROM subscribers WHERE id = ?", (row[1],))
            return CodeClaimed(row[0] or "", code_hash)

        return self._db.write(claim)

    def claimed_by(self, code_hash: str, subscriber_id: str) -> None:
        """Note which device claimed a code; the code dies with it."""
        query = "UPDATE pairing_codes SET claimed_by = ? WHERE code_hash = ?"
        self._db.write(lambda db: db.execute(query, (subscriber_id, code_hash)))

    def claimants(self) -> set[str]:
        """Return the ids of the devices that claimed a code and have not got in yet."""
        rows = self._db.read("SELECT claimed_by FROM pairing_codes WHERE claimed_by NOT NULL")
        return {str(row[0]) for row in rows}

    def use_up(self, subscriber_id: str) -> None:
        """Delete the code that a device claimed, as it got all the way in."""
        self._db.write(lambda db: db.execute("DELETE FROM pairing_codes WHERE claimed_by = ?", (subscriber_id,)))
