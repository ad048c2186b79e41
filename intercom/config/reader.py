"""Read TOML text into dataclasses of settings, and report every problem at once."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intercom.config.fields import PATH, TEXT_LIMIT, Setting, TableList, lists_of, settings_of, tables_of
from intercom.config.line_numbers import Key, line_index
from intercom.config.migrations import HISTORY, History, modernise

PROBLEM_LIMIT = 50
"""Limit of reported problems; a file with more is no configuration."""
LIST_LIMIT = 256
"""Limit of entries in one list; a large house has fewer addresses."""

_SECRET_NAME = re.compile(r"passw|secret|token|credential|(api|private|auth)[_-]?key", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"eyJ[\w-]{8}|-----BEGIN|\bPT[0-9a-f]{20}|\b(icm|whsec)_[\w+/-]{20}|(://|\b(turn|stun)s?:)[^/\s@]*@"
)
_KEEP_ELSEWHERE = (
    "secrets are not kept in the configuration: put it into a file of mode 0600 and name that file "
    "(account.credential_file, space.turn_secret_file, mqtt.password_file), or hand it over as a systemd credential"
)

_BARE = re.compile(r"\s*([\w.-]+)\s*=\s*([^\s\"'\[{#][^#\"']*?)\s*(#.*)?")
"""Pattern of a line `key = value` whose value begins with no quote and no bracket."""
_SWITCH_WORDS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a configuration, and its remedy."""

    line: int | None
    """Line in the file, from 1; None when it is the whole file."""
    where: str
    """The setting, "table.key"; "" when it is the whole file."""
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where + ': ' if self.where else ''}{self.message}"


class Reading:
    """Reads one TOML text into the dataclass `root`: its values, and its problems with their lines."""

    def __init__(
        self, root: type[Any], text: str, whole_path: Callable[[str], str], history: History = HISTORY
    ) -> None:
        self._root = root
        self._whole_path = whole_path
        self._text = text
        self._lines: dict[Key, int] | None = None
        self._tables = dict(tables_of(root))
        self._lists = {found.key: found for found in lists_of(root)}
        tables = {**self._tables, **{found.name: found.table for found in self._lists.values()}}
        self._names = [item.name for item in settings_of(root)] + list(tables)
        self._names += [f"{name}.{item.name}" for name, table in tables.items() for item in settings_of(table)]
        self._secrets = {item.name for table in tables.values() for item in settings_of(table) if item.secret}
        self._problems: list[Problem] = []
        self._document: dict[str, Any] = {}
        self._old_key: dict[Key, Key] = {}
        self.notes: list[Problem] = []
        """Remarks on settings that work, but are deprecated or perhaps not meant."""
        try:
            self._document = tomllib.loads(text)
        except RecursionError:
            self._problems.append(Problem(None, "", "lists or tables are nested too deeply: make the file flatter"))
        except ValueError as error:
            self._problems.append(self._syntax_problem(error))
        for old in modernise(self._document, history):
            if old.still_counts:
                self._old_key[old.now] = old.key
                self.notes.append(self._problem(old.key, old.told))
            else:
                self.report(old.key, old.told)

    @property
    def problems(self) -> list[Problem]:
        """Return the problems found so far, in the file's order."""
        in_order = sorted(self._problems, key=lambda problem: problem.line or 0)
        more = len(in_order) - PROBLEM_LIMIT
        return in_order[:PROBLEM_LIMIT] + ([Problem(None, "", f"and {more} more problems")] if more > 0 else [])

    def report(self, key: Key, message: str) -> None:
        """Add a problem with this key, at its line or that of the nearest table around it."""
        self._problems.append(self._problem(self._old_key.get(key, key), message))

    def note(self, key: Key, message: str) -> None:
        """Add a remark on a setting that works, but is perhaps not meant."""
        self.notes.append(self._problem(key, message))

    def says(self, table: str, name: str) -> bool:
        """Return whether the document holds this setting."""
        content = self._document.get(table, {})
        return isinstance(content, dict) and name in content

    def _problem(self, key: Key, message: str) -> Problem:
        if self._lines is None:
            self._lines = line_index(self._text)
        around = (key[:depth] for depth in range(len(key), 0, -1))
        line = next((self._lines[place] for place in around if place in self._lines), None)
        return Problem(line, ".".join(_shown_key(part) for part in self._said(key)), message)

    def _said(self, key: Key) -> Key:
        """Return a key as the file's author wrote it: without the number of a list's entry."""
        for place in self._lists:
            if key[: len(place)] == place:
                return (*place, *key[len(place) + 1 :])
        return key

    def read(self) -> Any:
        """Return an instance of the root with the document's values; the default where one is missing or wrong."""
        values: dict[str, Any] = {}
        for name, table in self._tables.items():
            content = self._document.get(name, {})
            if isinstance(content, dict):
                values[name] = table(**self._values((name,), table, content))
            else:
                self.report((name,), f"expected a table: write [{name}] on its own line and its settings below")
        top = {key: value for key, value in self._document.items() if key not in self._tables}
        return self._root(**values, **self._values((), self._root, top))

    def _values(self, key: Key, table: type[Any], content: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a table and its lists of tables."""
        lists = {place[-1]: found for place, found in self._lists.items() if place[:-1] == key}
        alone = {name: value for name, value in content.items() if name not in lists}
        values = {name: self._entries(found, content.get(name, [])) for name, found in lists.items()}
        return {**self._settings(key, table, alone), **values}

    def _entries(self, found: TableList, content: Any) -> tuple[Any, ...]:
        """Return the entries of a list of tables, each with a number from 1 in the keys of its problems."""
        if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
            written = f"write [[{found.name}]], with two brackets, above each one's settings"
            self.report(found.key, f"expected entries: {written}")
            return ()
        if len(content) > found.limit:
            self.report(found.key, f"expected at most {found.limit} entries, not {len(content)}")
        numbered = enumerate(content[: found.limit], start=1)
        return tuple(found.table(**self._settings((*found.key, str(n)), found.table, entry)) for n, entry in numbered)

    def _settings(self, prefix: Key, table: type[Any], content: dict[str, Any]) -> dict[str, Any]:
        known = {item.name: item for item in settings_of(table)}
        values: dict[str, Any] = {}
        for name, value in content.items():
            if name not in known:
                self.report((*prefix, name), self._unknown(prefix, name, value))
            elif not known[name].secret and any(map(_looks_secret, _entries(value))):
                self.report((*prefix, name), f"this looks like a secret; {_KEEP_ELSEWHERE}")
            elif not _is_accepted(known[name], value):
                self.report((*prefix, name), f"expected {known[name].expected}{_but_is(known[name], value)}")
            else:
                values[name] = self._as_field(known[name], value)
        return values

    def _as_field(self, item: Setting, value: Any) -> Any:
        """Convert an accepted TOML value to its field's type: 2 becomes 2.0, a list a tuple, a path an absolute one."""
        if item.shape is PATH and value:
            return self._whole_path(value)
        return item.kind(value) if item.kind in (bool, int, float, str) else tuple(value)

    def _syntax_problem(self, error: ValueError) -> Problem:
        """Convert a syntax error of `tomllib`, "... (at line 3, column 5)", to words of the file's author."""
        message = str(error)
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
        if found is None:
            return Problem(None, "", f"this is not TOML: {message}")
        what, line, column = found.groups()
        if line and (said := self._bare_word(self._text.split("\n")[int(line) - 1])):
            return Problem(int(line), "", said)
        place = f"at column {column}" if column else "at the end of the file"
        return Problem(int(line) if line else None, "", f"this is not TOML: {what[:1].lower()}{what[1:]} {place}")

    def _bare_word(self, line: str) -> str:
        """Return how to write a value that lacks its quotes; an empty text when the line has another error."""
        found = _BARE.fullmatch(line)
        if found is None:
            return ""
        key, value = found[1], found[2].rstrip()
        if switch := _SWITCH_WORDS.get(value.lower()):
            return f"{_shown_key(key)} = {value[:20]}: write true or false without quotes, here {switch}"
        if key in self._secrets or re.match(r"[\d+.-]", value):
            return ""
        return f"{_shown_key(key)}: a text stands in quotes: write {_shown_key(key)} = {_shown(value)}"

    def _unknown(self, prefix: Key, name: str, value: Any) -> str:
        from difflib import get_close_matches  # for whoever mistyped alone

        thing = "table" if isinstance(value, dict) and not prefix else "setting"
        written = ".".join(self._said((*prefix, name)))
        in_list = prefix[:-1] in self._lists
        if not in_list and _SECRET_NAME.search(name) and not get_close_matches(written, self._names, cutoff=0.9):
            return f"no such {thing}; {_KEEP_ELSEWHERE}"
        for known in self._names:
            table, _, last = known.rpartition(".")
            if last == name and (table == "" or table in self._tables):
                home = f"under [{table}]" if table else "at the top of the file, above the first [table]"
                return f"this setting belongs {home}: move it there"
        if likely := get_close_matches(written, self._names, n=1):
            return f"no such {thing}; did you mean {likely[0]}?"
        return f"no such {thing}; `intercom config example` shows all there are"


def _is_accepted(item: Setting, value: Any) -> bool:
    if item.kind is bool:
        return isinstance(value, bool)
    if item.kind in (int, float):
        if isinstance(value, bool) or not isinstance(value, (int, item.kind)):
            return False
        assert item.low is not None and item.high is not None
        return bool(item.low <= value <= item.high)
    if item.kind is str:
        return _is_text(item, value)
    return isinstance(value, list) and len(value) <= LIST_LIMIT and all(_is_text(item, entry) for entry in value)


def _is_text(item: Setting, value: Any) -> bool:
    if not isinstance(value, str) or len(value) > TEXT_LIMIT or not value.isprintable():
        return False
    if value == "" and item.kind is str:
        return item.may_be_empty
    if item.choices:
        return value in item.choices
    return item.shape is None or item.shape.accepts(value)


def _looks_secret(value: Any) -> bool:
    return isinstance(value, str) and _SECRET_VALUE.search(value) is not None


def _but_is(item: Setting, value: Any) -> str:
    """Return the end of the sentence "expected ...", with the value in the file; a secret is left out."""
    return "" if item.secret else f", not {_shown(_first_wrong(item, value))}"


def _first_wrong(item: Setting, value: Any) -> Any:
    """Return the wrong entry of a list; the value itself if it is no list or wholly wrong."""
    if item.kind != tuple[str, ...]:
        return value
    return next((entry for entry in _entries(value) if not _is_text(item, entry)), value)


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    """Format a value for people: short, and never a secret."""
    match value:
        case dict():
            return "a table"
        case list():
            return f"a list of {len(value)}"
        case str() if _SECRET_VALUE.search(value) or len(value) > 60:
            return f"a text of {len(value)} characters"
        case str():
            return '"' + value.encode("unicode_escape").decode("ascii") + '"'
        case int() if abs(value) >= 10**20:
            return "so large a number"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown_key(name: str) -> str:
    """Format a key as TOML writes it, shortened to fit a line."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return name[:60]
    return '"' + name[:60].encode("unicode_escape").decode("ascii") + '"'
