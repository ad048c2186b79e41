"""Decide which callers the door answers by itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from intercom.address import Address, is_listed
from intercom.opening.decision import RESIDENTS, Kind

SUBSCRIBERS: Final = "/private/*"
"""Pattern that matches every subscriber of the service."""
HOUSE: Final = frozenset({RESIDENTS, SUBSCRIBERS})
"""Entries that let the house look and listen at any time; the second is the form of versions that knew no doors."""


def answers_by_itself(far_end: Address, kind: Kind, listed: Collection[str]) -> bool:
    """Return whether the door answers this caller without a touch.

    A door counts only when its own address is listed: its credential hangs outdoors and could be taken.
    """
    if kind is Kind.DOOR:
        return is_listed(far_end, (entry for entry in listed if "*" not in entry))
    return is_listed(far_end, listed) or (kind is Kind.RESIDENT and RESIDENTS in listed)
