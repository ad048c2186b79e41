"""Settings of older versions: what is called otherwise by now still counts, what is gone is said to be.

Whoever renames or removes a setting adds a line here, so that an upgrade never leaves a door without a configuration
that it understands, or its owner without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from intercom.config_lines import Key


@dataclass(frozen=True, slots=True)
class History:
    """What became of settings, each by its whole name, "table.key"."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    """From the old name to the new one, which takes the same values."""
    removed: Mapping[str, str] = field(default_factory=dict)
    """From the name to what stands in its place: "the door finds it by itself"."""


HISTORY = History()
"""Nothing was renamed or removed since the first version."""


@dataclass(frozen=True, slots=True)
class Old:
    """An old setting that a document holds."""

    key: Key
    told: str
    """What to do about it."""
    still_counts: bool
    """Whether its value was taken all the same."""
    now: Key = ()
    """Where its value went."""


def modernise(document: dict[str, Any], history: History) -> list[Old]:
    """Move what has a new name to it, take out what is gone, and say so."""
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
