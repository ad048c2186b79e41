"""Makes time-limited TURN credentials (draft-uberti-behave-turn-rest-00), which coturn's `use-auth-secret` checks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from intercom.signalwire.wire.messages import IceServer

LIFETIME_S: Final = 86_400
"""Lifetime for clients that get new ones only at connect: the reference client makes no call without a relay."""


def ice_server(url: str, secret: str, subscriber_id: str, now: float, lifetime_s: int = LIFETIME_S) -> IceServer:
    """Return the TURN server at `url` with a password for `subscriber_id`; `now` in seconds since 1970."""
    username = f"{int(now) + lifetime_s}:{subscriber_id}"
    # SHA-1 is what the scheme prescribes; as an HMAC over a random secret it holds.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return IceServer(urls=[url], username=username, credential=base64.b64encode(digest).decode())
