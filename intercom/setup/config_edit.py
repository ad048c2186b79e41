"""Edit a configuration file: values, comments and order stay, and nothing is written before the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from intercom.config import Config, ConfigError, loads
from intercom.config.render import toml_value

HEAD = "# Settings of the intercom. `sudo intercom setup` asks some; `intercom config example` shows them all.\n"


class DraftError(ValueError):
    """A text cannot become a configuration; the message is one sentence for people."""


class Draft:
    """The text of a configuration with changes to it. Raises `DraftError` if the text is not valid."""

    def __init__(self, text: str, directory: Path) -> None:
        self._directory = directory
        self._before = self._load(text)
        try:
            self._document = tomlkit.parse(text or HEAD)
        except TOMLKitError as error:
            raise DraftError(f"this is not TOML: {error}") from error
        self.changes: list[str] = []
        """Changes so far, one line each."""

    @property
    def now(self) -> Config:
        """The configuration with the changes so far; raises `DraftError` with the mistake."""
        return self._load(self.text)

    @property
    def before(self) -> Config:
        """The configuration without the changes."""
        return self._before

    @property
    def text(self) -> str:
        """Text of the file with the changes so far."""
        return tomlkit.dumps(self._document)

    def put(self, table: str, name: str, value: Any) -> None:
        """Change a setting. A value that holds anyway is not written: a short file is easy to read."""
        old = getattr(getattr(self._before, table), name)
        written = self._document.get(table, {})
        if name not in written and value == old:
            return
        if name in written and written[name] == value:
            return
        if table not in self._document:
            self._document[table] = tomlkit.table()
        self._document[table][name] = list(value) if isinstance(value, tuple) else value
        self.changes.append(f"{table}.{name} = {toml_value(value)}")

    def drop(self, table: str, name: str) -> None:
        """Return a setting to its default."""
        written = self._document.get(table, {})
        if name in written:
            del written[name]
            if not written:
                del self._document[table]
            self.changes.append(f"{table}.{name}: the default again")

    def tell(self, url: str) -> None:
        """Add a service that tells people what happens at the door, unless it is there. Its URL is a secret."""
        if any(entry.url == url for entry in self._before.notify):
            return
        entry = tomlkit.table()
        entry["url"] = url
        if "notify" not in self._document:
            self._document["notify"] = tomlkit.aot()
        self._document["notify"].append(entry)
        self.changes.append(f"notify: {url.partition('://')[0]} is told as well")

    def _load(self, text: str) -> Config:
        # Leave a variable as it is: in the service it stands for another place than here.
        try:
            return loads(text, self._directory, {})
        except ConfigError as error:
            first = error.problems[0]
            raise DraftError(f"{first.where}: {first.message}" if first.where else first.message) from error
