"""Detects an offer that puts us on hold, by the direction of its audio (RFC 3264 section 8.4)."""

from __future__ import annotations

DIRECTIONS = {"a=sendrecv": False, "a=sendonly": True, "a=recvonly": True, "a=inactive": True}
"""Directions of a far end, and whether each is a hold: with `sendonly` it plays music to us, or nothing."""


def holds(offer: str) -> bool:
    """Return whether the offer's first audio is not sendrecv; its own direction counts before the session's."""
    session, *sections = f"\n{offer}".replace("\r", "\n").split("\nm=")
    audio = next((section for section in sections if section.startswith("audio ")), "")
    found = [
        DIRECTIONS[line.strip()] for part in (audio, session) for line in part.split("\n") if line.strip() in DIRECTIONS
    ]
    return bool(found) and found[0]
