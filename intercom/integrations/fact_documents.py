"""The facts as other systems are told them: JSON with a cursor, which is unique over all restarts of the door."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

import msgspec

from intercom.facts import name_of
from intercom.history.journal import Entry

RUN: Final = secrets.token_hex(4)
"""Id of this run of the door: the numbers of the facts begin anew with each."""
_CURSOR: Final = re.compile(r"([0-9a-f]{8})-([0-9]{1,12})")


def cursor(number: int) -> str:
    """Return the cursor of a listener that has read as far as this fact."""
    return f"{RUN}-{number}"


def number_of(said: str) -> int | None:
    """Return the number of the fact in a cursor; None for one of an earlier run. Raises ValueError if it is none."""
    found = _CURSOR.fullmatch(said)
    if found is None:
        raise ValueError("that is no cursor")
    return int(found[2]) if found[1] == RUN else None


def document(entry: Entry) -> dict[str, Any]:
    """Return a fact as JSON."""
    return {
        "id": cursor(entry.number),
        "type": name_of(type(entry.fact)),
        "at": entry.at.isoformat(timespec="milliseconds"),
        "data": msgspec.to_builtins(entry.fact),
    }
