"""The volumes of a call's members (protocol.md §5)."""

from __future__ import annotations

from typing import Final

VOLUME_LIMIT: Final = 50.0
"""Limit of a member's volume, both ways."""


def factor(volume: float | None) -> float:
    """Return the factor of a member's volume as FreeSWITCH has it: 0 at -50, 1 at 0, 13.5 at 50."""
    volume = min(max(volume or 0.0, -VOLUME_LIMIT), VOLUME_LIMIT)
    return 1.0 + (volume / VOLUME_LIMIT if volume < 0 else volume / 4.0)
