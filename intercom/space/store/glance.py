"""Reads the addresses of a house from its database, without a write and without the space: for commands."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from intercom.space.auth.credential import read_credential
from intercom.space.auth.secret_hash import secret_hash
from intercom.space.store.store import DATABASE


def addresses_beside(credential: Path) -> frozenset[str] | None:
    """Return the addresses of the house whose door has this credential.

    None where its database does not lie beside the credential, or is not this user's to read: the space runs elsewhere.
    """
    found = read_credential(credential)
    if found is None:
        return None
    try:
        place = f"{credential.absolute().with_name(DATABASE).as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True)) as db:
            whose = (secret_hash(found.device_secret),)
            if db.execute("SELECT 1 FROM devices WHERE secret_hash = ?", whose).fetchone() is None:
                return None
            return frozenset(str(name) for (name,) in db.execute("SELECT name FROM addresses"))
    except sqlite3.Error:
        return None
