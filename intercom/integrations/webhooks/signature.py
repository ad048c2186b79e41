"""Signs what is sent, as the Standard Webhooks specification has it (HMAC-SHA256 over id, time stamp and body)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"
"""Beginning of a key."""


def headers(key: str, id_: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers for this body: its id, its time stamp and, with a key, its signature."""
    said = {"webhook-id": id_, "webhook-timestamp": str(at)}
    if key:
        said["webhook-signature"] = f"v1,{signature(key, id_, at, body)}"
    return said


def signature(key: str, id_: str, at: int, body: bytes) -> str:
    """Return the signature in base64."""
    secret = base64.b64decode(key.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(secret, f"{id_}.{at}.".encode() + body, hashlib.sha256)).decode()
