"""Tells a caller why nobody answered, when each end that rang had its own reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_FIRST: Final = ("CALL_REJECTED", "USER_BUSY", "NO_ANSWER")
"""Causes that a person stands behind, the most telling first."""
_AWAY: Final = "USER_NOT_REGISTERED"
"""Cause of an end that is not there, which says least."""


def cause_for_caller(causes: Sequence[str]) -> str:
    """Return the cause that says most of those for which the ends stopped ringing.

    A device that goes away after a person declined at another does not turn "declined" into "nobody is there".
    """
    for cause in _FIRST:
        if cause in causes:
            return cause
    return next((cause for cause in causes if cause != _AWAY), _AWAY)


def cause_of_end(cause: str) -> str:
    """Return the cause for which one end stopped ringing, from what it said: a plain hang-up declines the call."""
    return "CALL_REJECTED" if cause == "NORMAL_CLEARING" else cause
