"""Signs for the space to push services (VAPID, RFC 8292): one key for ever, one token for each service and hour."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LIFETIME_S: Final = 12 * 3600
"""Lifetime of a token; RFC 8292 allows a day, and a push service judges it by its own clock."""
REUSE_S: Final = 3600.0
"""Time for which a token is used again: Apple asks for no new one more often than once an hour."""
SERVICES_LIMIT: Final = 64
"""Limit of services whose tokens are remembered; the house's phones use three or four."""
CONTACT: Final = "mailto:house@example.com"
"""Contact that stands in tokens where the owner gives none; Apple refuses addresses that end in .local."""


def new_key() -> str:
    """Return a new private key as text: its 32 bytes as base64url."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return encoded((secrets.randbelow(order - 1) + 1).to_bytes(32, "big"))


class Vapid:
    """The space as push services know it.

    :param key: the private key, as `new_key` made it; subscriptions hold for this key alone.
    :param contact: whom a push service may ask about these pushes: a mailto: or https: address.
    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, key: str, contact: str, *, now: Callable[[], float]) -> None:
        self._key = ec.derive_private_key(int.from_bytes(decoded(key), "big"), ec.SECP256R1())
        self._contact = contact or CONTACT
        self._now = now
        self._tokens: dict[str, tuple[str, float]] = {}
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = encoded(point)
        "The public key, which a browser wants when it subscribes: 65 bytes as base64url."

    def authorization(self, endpoint: str) -> str:
        """Return the Authorization header for a push to `endpoint`."""
        parts = urlsplit(endpoint)
        return f"vapid t={self._token(f'{parts.scheme}://{parts.netloc}')}, k={self.public_key}"

    def _token(self, service: str) -> str:
        now = self._now()
        token, made_at = self._tokens.pop(service, ("", 0.0))
        if not token or not 0 <= now - made_at < REUSE_S:
            claims = {"aud": service, "exp": int(now) + LIFETIME_S, "sub": self._contact}
            token, made_at = jwt.encode(claims, self._key, algorithm="ES256"), now
        while len(self._tokens) >= SERVICES_LIMIT:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[service] = token, made_at
        return token


def encoded(data: bytes) -> str:
    """Return bytes as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of a base64url text, with or without padding; raises ValueError when it is none."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
