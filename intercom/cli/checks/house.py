"""Asks the house's space what it knows, with the door's own credential, for `intercom doctor`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from intercom.signalwire.account.http import request_json
from intercom.signalwire.errors import SignalWireError
from intercom.space.auth.credential import read_credential

LIMIT_S: Final = 5.0
"""Time limit for the space's answer."""


def ask_house(credential: Path, path: str) -> Any:
    """Return the space's JSON answer; None when the space is not asked, for want of a credential, or of an answer."""
    found = read_credential(credential)
    if found is None:
        return None
    url = f"{found.api_url.rstrip('/')}{path}"
    asked = request_json("GET", url, bearer=found.device_secret, certificate=found.certificate)
    try:
        return asyncio.run(asyncio.wait_for(asked, LIMIT_S))
    except (SignalWireError, OSError):
        return None  # that the space does not answer is another finding; TimeoutError is an OSError
