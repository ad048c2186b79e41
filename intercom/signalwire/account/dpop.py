"""Makes DPoP keys and proofs, which show that a token is used by its own device (RFC 9449, protocol.md §2)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from intercom.later import import_without
from intercom.signalwire.errors import StorageError
from intercom.signalwire.storage import Storage

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers

logger = logging.getLogger(__name__)

KEY_BITS = 2048
"""Length of the RSA key, as the service demands (protocol.md §2)."""
KEY_NAME = "sw:dpop-key"
SERIALIZATION = ("cryptography.hazmat.primitives.serialization", "cryptography.hazmat.primitives.serialization.ssh")
"""cryptography's module of keys, and the one of SSH's that it imports, which waits."""


class DpopKey:
    """The device's key; it never leaves it. Making proofs costs about 1 ms on a PC, 20 ms on a Zero 2."""

    def __init__(self, private: RSAPrivateKey, wall_clock: Callable[[], float]) -> None:
        self._private = private
        self._wall_clock = wall_clock
        numbers = private.public_key().public_numbers()
        self._jwk = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        canonical = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True).encode()
        self.fingerprint: str = _base64url(hashlib.sha256(canonical).digest())
        """RFC 7638 thumbprint of the key."""

    def http_proof(self, method: str, uri: str, *, access_token: str | None = None) -> str:
        """Return a proof for one HTTP call; `access_token`: the call's token (RFC 9449, section 4.2, `ath`)."""
        payload: dict[str, Any] = {"htm": method, "htu": uri}
        if access_token is not None:
            payload["ath"] = _base64url(hashlib.sha256(access_token.encode()).digest())
        return self._sign(payload)

    def rpc_proof(self, method: str) -> str:
        """Return a proof for one request on the socket."""
        return self._sign({"rpc": "request", "mth": method})

    def _sign(self, payload: dict[str, Any]) -> str:
        # Not by PyJWT: it loads X.509 and every algorithm that it knows, and the registration would wait for that.
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        header = {"alg": "RS256", "typ": "dpop+jwt", "jwk": self._jwk}
        payload = {"jti": str(uuid.uuid4()), **payload, "iat": int(self._wall_clock())}
        signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
        return f"{signed}.{_base64url(self._private.sign(signed.encode(), PKCS1v15(), SHA256()))}"


async def load_key(storage: Storage, wall_clock: Callable[[], float]) -> DpopKey | None:
    """Return the key of an earlier run, or None when there is no usable one."""
    try:
        pem = await storage.get(KEY_NAME)
    except StorageError as error:
        logger.warning("The device's key cannot be read: %s", error)
        return None
    if pem is None:
        return None
    try:
        return DpopKey(await asyncio.to_thread(_read_pem, pem), wall_clock)
    except (ValueError, TypeError) as error:
        logger.warning("The device's key is damaged (%s); a new one is made.", type(error).__name__)
        return None


async def make_key(storage: Storage, wall_clock: Callable[[], float]) -> DpopKey:
    """Return a new key, kept for later runs if the storage takes it."""
    private, pem = await asyncio.to_thread(_generate)
    try:
        await storage.set(KEY_NAME, pem)
    except StorageError as error:
        logger.warning("The device's key will not survive a restart: %s", error)
    return DpopKey(private, wall_clock)


def _generate() -> tuple[RSAPrivateKey, str]:
    import_without(*SERIALIZATION)
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, pem.decode()


def _read_pem(pem: str) -> RSAPrivateKey:
    import_without(*SERIALIZATION)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    # Whether its primes are prime was settled when we made it: to ask again takes a Pi longer than all its imports.
    try:
        private = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm as error:
        raise ValueError("its algorithm is unknown") from error
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("not RSA")
    if not _fits(private.private_numbers()):
        raise ValueError("its numbers do not fit")
    return private


def _fits(key: RSAPrivateNumbers) -> bool:
    """Return whether the numbers of a key belong to each other: a file that was damaged has some that do not."""
    e, n = key.public_numbers.e, key.public_numbers.n
    return (
        min(key.p, key.q) > 1
        and key.p * key.q == n
        and e * key.d % (key.p - 1) == e * key.d % (key.q - 1) == 1
        and (key.dmp1, key.dmq1) == (key.d % (key.p - 1), key.d % (key.q - 1))
        and key.iqmp * key.q % key.p == 1
    )


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
