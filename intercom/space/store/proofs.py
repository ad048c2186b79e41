"""Keeps what each device has proved of its reach: that it came, registered, and rang with its page open and closed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from typing import Literal

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import StoreError
from intercom.space.store.database import Database

logger = logging.getLogger(__name__)

Page = Literal["open", "closed"]
"""How a device's page was when the device rang."""


class Proofs:
    """The proofs in the space's database.

    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._db = database
        self._now = now

    def seen(self, device_secret: str) -> None:
        """Note that a device signed in today: once a day, to spare the SD card. A failure is only logged."""
        device = secret_hash(device_secret)
        known = self._db.read("SELECT seen_on FROM devices WHERE secret_hash = ?", (device,)).fetchone()
        if known is not None and known[0] != self._today():
            self._try("UPDATE devices SET seen_on = ? WHERE secret_hash = ?", self._today(), device)

    def registered(self, subscriber_id: str) -> None:
        """Note that a subscriber's device registered over its socket today, once a day. A failure is only logged."""
        query = "SELECT MAX(registered_on) FROM devices WHERE subscriber_id = ?"
        (known,) = self._db.read(query, (subscriber_id,)).fetchone()
        if known is not None and known != self._today():
            self._try("UPDATE devices SET registered_on = ? WHERE subscriber_id = ?", self._today(), subscriber_id)

    def rang(self, device_secret: str, page: Page) -> None:
        """Note that the owner of a device confirms that it rang."""
        query = {
            "open": "UPDATE devices SET rang_at = ? WHERE secret_hash = ?",
            "closed": "UPDATE devices SET woken_at = ? WHERE secret_hash = ?",
        }[page]
        self._db.write(lambda db: db.execute(query, (self._now(), secret_hash(device_secret))))

    def _today(self) -> str:
        return date.fromtimestamp(self._now()).isoformat()

    def _try(self, query: str, today: str, key: str) -> None:
        try:
            self._db.write(lambda db: db.execute(query, (today, key)))
        except StoreError as problem:
            logger.warning("It is not noted that a device was here: %s", problem)
