"""Asks the house's space which devices it wakes by push, for `intercom doctor`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from intercom.cli.render import moment
from intercom.signalwire.account.http import request_json
from intercom.signalwire.errors import SignalWireError
from intercom.space.auth.credential import read_credential

LIMIT_S: Final = 5.0
"""Time limit for the space's answer."""


class PushDevice(msgspec.Struct, frozen=True):
    """A resident's device, as the space tells of it."""

    name: str
    """Display name."""
    online: bool
    """Whether its page is connected now."""
    seen_on: str
    """The day on which it last signed in, ISO 8601; empty when it never did."""
    push: bool
    """Whether it has a push subscription."""
    shown_at: float
    """Time of its last receipt, seconds since 1970; 0 without one."""
    trouble: str
    """What went wrong with the last push to it; empty when nothing did."""

    @property
    def shown(self) -> str:
        """When it last showed a push, in words."""
        return moment(self.shown_at)


def push_devices(credential: Path) -> list[PushDevice] | None:
    """Return the residents' devices; None when the space is not asked, for want of a credential or of an answer."""
    found = read_credential(credential)
    if found is None:
        return None
    url = f"{found.api_url.rstrip('/')}/api/space/push/devices"
    asked = request_json("GET", url, bearer=found.device_secret, certificate=found.certificate)
    try:
        answer = asyncio.run(asyncio.wait_for(asked, LIMIT_S))
        return msgspec.convert(answer, dict[str, list[PushDevice]])["devices"]
    except (SignalWireError, OSError, msgspec.ValidationError, KeyError):  # TimeoutError is an OSError
        return None  # that the space does not answer is another finding
