"""Makes time-limited TURN credentials (draft-uberti-behave-turn-rest-00), which coturn's `use-auth-secret` checks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Final

from intercom.config import SpaceConfig
from intercom.signalwire.wire.messages import IceServer
from intercom.space.errors import SpaceConfigError

LIFETIME_S: Final = 86_400
"""Lifetime for clients that get new ones only at connect: the reference client makes no call without a relay."""


def ice_server(url: str, secret: str, subscriber_id: str, now: float, lifetime_s: int = LIFETIME_S) -> IceServer:
    """Return the TURN server at `url` with a password for `subscriber_id`; `now` in seconds since 1970."""
    username = f"{int(now) + lifetime_s}:{subscriber_id}"
    # SHA-1 is what the scheme prescribes; as an HMAC over a random secret it holds.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return IceServer(urls=[url], username=username, credential=base64.b64encode(digest).decode())


def turn_secret(config: SpaceConfig) -> str:
    """Return the secret of the TURN server of `turn_url`; empty without one. Raises `SpaceConfigError`."""
    if not config.turn_url:
        return ""
    if not config.turn_secret_file:
        raise SpaceConfigError("[space] turn_url is set without turn_secret_file; name the file with the secret.")
    try:
        secret = Path(config.turn_secret_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as problem:
        raise SpaceConfigError(f"[space] turn_secret_file cannot be read: {problem}.") from problem
    if not secret:
        raise SpaceConfigError(f"[space] turn_secret_file {config.turn_secret_file} is empty.")
    return secret
