"""Hashes the secrets of devices, so that the database holds none."""

from __future__ import annotations

import hashlib


def secret_hash(secret: str) -> str:
    """Return the hash under which a secret is kept: 256 random bits cannot be guessed, so a plain one suffices."""
    return hashlib.sha256(secret.encode()).hexdigest()
