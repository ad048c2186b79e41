"""Asks the house's space how far its devices are reached, for `intercom doctor`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from intercom.cli.checks.house import ask_house
from intercom.cli.checks.reach import Reach


def push_devices(credential: Path) -> list[Reach] | None:
    """Return the residents' devices; None when the space does not say."""
    try:
        return msgspec.convert(ask_house(credential, "/api/space/push/devices"), dict[str, list[Reach]])["devices"]
    except (msgspec.ValidationError, KeyError):
        return None
