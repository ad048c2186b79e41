"""Find the line of each key of a TOML document, which `tomllib` does not report."""

import tomllib
from collections import Counter
from typing import Any

Key = tuple[str, ...]

DEPTH = 2
"""Depth of the keys that are looked up: "table" and "table.key"; deeper ones get their table's line."""


def line_index(text: str) -> dict[Key, int]:
    """Return the line (from 1) on which each table and key of a valid TOML document first stands.

    TOML is a sequence of statements, each a table header or one `key = value`, each whole lines, and
    no statement is whole before its last line. So lines are gathered until they parse by themselves.
    What stands below a header `[[name]]` is found under "name" and the entry's number, from 1.
    """
    lines: dict[Key, int] = {}
    entries: Counter[Key] = Counter()
    table: Key = ()
    statement, first = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        statement += line + "\n"
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        keys = list(_keys(parsed))
        if statement.lstrip().startswith("["):
            table = keys[-1]
            if statement.lstrip().startswith("[["):
                entries[table] += 1
                table = (*table, str(entries[table]))
                keys.append(table)
            keys = [key[: depth + 1] for key in keys for depth in range(len(key))]
        else:
            keys = [table + key for key in keys]
        for key in keys:
            lines.setdefault(key, first)
        statement, first = "", number + 1
    return lines


def _keys(value: Any, prefix: Key = ()) -> list[Key]:
    """Return the keys of nested tables and arrays of tables down to DEPTH, outer ones first."""
    if isinstance(value, list):
        return [key for item in value for key in _keys(item, prefix)]
    if not isinstance(value, dict) or len(prefix) == DEPTH:
        return []
    found: list[Key] = []
    for name, item in value.items():
        found += [(*prefix, name), *_keys(item, (*prefix, name))]
    return found
