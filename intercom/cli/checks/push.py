"""Asks the house's space how far its devices are reached, for `intercom doctor`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from intercom.cli.checks.reach import Reach
from intercom.signalwire.account.http import request_json
from intercom.signalwire.errors import SignalWireError
from intercom.space.auth.credential import read_credential

LIMIT_S: Final = 5.0
"""Time limit for the space's answer."""


def push_devices(credential: Path) -> list[Reach] | None:
    """Return the residents' devices; None when the space is not asked, for want of a credential or of an answer."""
    found = read_credential(credential)
    if found is None:
        return None
    url = f"{found.api_url.rstrip('/')}/api/space/push/devices"
    asked = request_json("GET", url, bearer=found.device_secret, certificate=found.certificate)
    try:
        answer = asyncio.run(asyncio.wait_for(asked, LIMIT_S))
        return msgspec.convert(answer, dict[str, list[Reach]])["devices"]
    except (SignalWireError, OSError, msgspec.ValidationError, KeyError):  # TimeoutError is an OSError
        return None  # that the space does not answer is another finding
