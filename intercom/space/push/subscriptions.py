"""Keeps the push subscriptions of the house's devices: one for each device's browser, gone with the device."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import SubscriptionError
from intercom.space.push.vapid import decoded
from intercom.space.store.database import Database, Transaction

AUTH_BYTES: Final = 16
"""Length of a subscription's authentication secret (RFC 8291 §3.2)."""
KEY_LIMIT_CHARS: Final = 128
"""Length limit of a key as text; a point has 87 characters."""

_COLUMNS: Final = (
    "SELECT p.secret_hash, s.id, s.display_name, p.endpoint, p.p256dh, p.auth "
    "FROM subscriptions p JOIN devices d ON d.secret_hash = p.secret_hash JOIN subscribers s ON s.id = d.subscriber_id"
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where one device's browser is reached while its page is closed."""

    device: str
    "The device: the hash of its secret."
    subscriber_id: str
    "The device's owner."
    name: str
    "The owner's display name."
    endpoint: str
    "URL at the push service; a secret, as whoever has it may use it up."
    p256dh: str
    "The browser's public key, base64url."
    auth: str
    "The browser's authentication secret, base64url."


class Subscriptions:
    """The subscriptions in the space's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def keep(self, device_secret: str, endpoint: str, p256dh: str, auth: str) -> None:
        """Keep the subscription of a device, instead of its last one and of another device's at the same endpoint.

        The endpoint was checked before (`PushServices.check`). Raises `SubscriptionError` when the keys are none.
        """
        _check_keys(p256dh, auth)
        row = (secret_hash(device_secret), endpoint, p256dh, auth)
        if self._row(row[0]) == row:
            return
        query = "INSERT OR REPLACE INTO subscriptions (secret_hash, endpoint, p256dh, auth) VALUES (?, ?, ?, ?)"
        self._db.write(lambda db: db.execute(query, row))

    def replace(self, former_endpoint: str, former_auth: str, endpoint: str, p256dh: str, auth: str) -> bool:
        """Put a subscription in the place of another, whose secret is given; return False if the house knows none such.

        The endpoint was checked before. Raises `SubscriptionError` when the keys are none.
        """
        _check_keys(p256dh, auth)
        query = "SELECT secret_hash, auth FROM subscriptions WHERE endpoint = ?"
        row = self._db.read(query, (former_endpoint,)).fetchone()
        if row is None or not hmac.compare_digest(str(row[1]).encode(), former_auth.encode()):
            return False
        change = "UPDATE OR REPLACE subscriptions SET endpoint = ?, p256dh = ?, auth = ? WHERE secret_hash = ?"
        self._db.write(lambda db: db.execute(change, (endpoint, p256dh, auth, row[0])))
        return True

    def remove(self, device: str, *, endpoint: str = "") -> None:
        """Delete the subscription of a device, known by its hash; with `endpoint` only if it is still that one."""
        row = self._row(device)
        if row is None or endpoint not in {"", row[1]}:
            return
        query = "DELETE FROM subscriptions WHERE secret_hash = ? AND endpoint = ?"
        self._db.write(lambda db: db.execute(query, (device, row[1])))

    def of_device(self, device: str) -> Subscription | None:
        """Return the subscription of a device, known by its hash."""
        row = self._db.read(f"{_COLUMNS} WHERE p.secret_hash = ?", (device,)).fetchone()
        return None if row is None else Subscription(*row)

    def of_subscribers(self, subscriber_ids: Iterable[str]) -> list[Subscription]:
        """Return the subscriptions of these subscribers' devices."""
        wanted = set(subscriber_ids)
        found = (Subscription(*row) for row in self._db.read(f"{_COLUMNS} ORDER BY p.secret_hash"))
        return [subscription for subscription in found if subscription.subscriber_id in wanted]

    def note(self, shown_at: Mapping[str, float], trouble: Mapping[str, str]) -> None:
        """Note, by the devices' hashes, when they last showed a push, and what went wrong with the last one, if any."""

        def write(db: Transaction) -> None:
            for device, at in shown_at.items():
                db.execute("UPDATE subscriptions SET shown_at = ? WHERE secret_hash = ?", (at, device))
            for device, words in trouble.items():
                query = "UPDATE subscriptions SET trouble = ?1 WHERE secret_hash = ?2 AND trouble <> ?1"
                db.execute(query, (words, device))

        self._db.write(write)

    def _row(self, device: str) -> tuple[str, str, str, str] | None:
        query = "SELECT secret_hash, endpoint, p256dh, auth FROM subscriptions WHERE secret_hash = ?"
        row = self._db.read(query, (device,)).fetchone()
        return None if row is None else (row[0], row[1], row[2], row[3])


def _check_keys(p256dh: str, auth: str) -> None:
    if max(len(p256dh), len(auth)) > KEY_LIMIT_CHARS:
        raise SubscriptionError("A subscription's keys are longer than any.")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(p256dh))
        secret = decoded(auth)
    except ValueError as problem:
        raise SubscriptionError("A subscription's keys are a point of P-256 and a secret, as base64url.") from problem
    if len(secret) != AUTH_BYTES:
        raise SubscriptionError(f"A subscription's authentication secret has {AUTH_BYTES} bytes.")
