"""Whose calls the door answers by itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from intercom.address import Address, is_listed
from intercom.may_open import RESIDENTS, Kind

SUBSCRIBERS: Final = "/private/*"
"""Names every subscriber of the service."""
HOUSE: Final = frozenset({RESIDENTS, SUBSCRIBERS})
"""What lets the house look and listen at any time: the second is how it was said before doors were told apart."""


def answers_by_itself(far_end: Address, kind: Kind, listed: Collection[str]) -> bool:
    """Whether the door answers this caller without anybody's touch.

    A door counts only when its own address is listed: its credential hangs outdoors and could be taken.
    """
    if kind is Kind.DOOR:
        return is_listed(far_end, (entry for entry in listed if "*" not in entry))
    return is_listed(far_end, listed) or (kind is Kind.RESIDENT and RESIDENTS in listed)
