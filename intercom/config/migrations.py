"""Settings of older versions: a renamed setting still counts, and a removed one is reported.

Whoever renames or removes a setting adds a line here, so that an upgrade never leaves a door without a configuration
that it understands, or its owner without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from intercom.config.line_numbers import Key


@dataclass(frozen=True, slots=True)
class History:
    """Renamed and removed settings, each by its full name, "table.key"."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """New name of each renamed setting; it takes the same values."""
    removed: Mapping[str, str] = field(default_factory=dict)
    """Replacement of each removed setting, as a clause: "the door finds it by itself"."""


HISTORY = History()
"""History of the settings; none was renamed or removed since the first version."""


@dataclass(frozen=True, slots=True)
class Old:
    """An outdated setting in a document."""

    key: Key
    told: str
    """Advice to the owner."""
    still_counts: bool
    """Whether the value still counts."""
    now: Key = ()
    """New place of the value."""


def modernise(document: dict[str, Any], history: History) -> list[Old]:
    """Move the values of renamed settings to their new names, drop the removed ones, and return those found."""
    found = []
    for old, new in history.renamed.items():
        value = _take(document, old)
        if value is None:
            continue
        table, _, name = new.rpartition(".")
        place = document.setdefault(table, {}) if table else document
        if not isinstance(place, dict) or name in place:
            found.append(Old(_key(old), f"is called {new} now, which is set as well: take this line out", False))
            continue
        place[name] = value
        found.append(Old(_key(old), f"is called {new} now: it still counts, but rename it", True, _key(new)))
    for old, instead in history.removed.items():
        if _take(document, old) is not None:
            found.append(Old(_key(old), f"there is no such setting any more ({instead}): take this line out", False))
    return found


def _take(document: dict[str, Any], name: str) -> Any:
    table, _, key = name.rpartition(".")
    place = document.get(table) if table else document
    return place.pop(key, None) if isinstance(place, dict) else None


def _key(name: str) -> Key:
    return tuple(name.split("."))
