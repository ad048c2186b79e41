"""Encrypts a push for one browser (RFC 8291, RFC 8188): the push service that carries it reads nothing."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from intercom.space.push.vapid import decoded

RECORD_BYTES: Final = 4096
"""Record size: a push is one record, as push services take no more than 4096 bytes."""
PADDED_BYTES: Final = 1024
"""Length to which every text is padded, so that its length says nothing of what happened at the door."""
_LAST: Final = b"\x02"
"""Mark behind the text of the last record (RFC 8188 §2)."""


def encrypted(
    text: bytes,
    p256dh: str,
    auth: str,
    *,
    padded_to: int = PADDED_BYTES,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes = b"",
) -> bytes:
    """Return the body of a push for the browser with these keys; `key` and `salt` are random for each."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    browser = decoded(p256dh)
    ours = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser))
    secret = _hkdf(shared, decoded(auth), b"WebPush: info\0" + browser + ours, 32)
    content_key = _hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content_key).encrypt(nonce, (text + _LAST).ljust(padded_to, b"\0"), None)
    return salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours + sealed


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
