"""Edit a configuration file: values, comments and order stay, and nothing is written before the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomlkit
from tomlkit.exceptions import TOMLKitError

from intercom.config import Config, ConfigError, StepConfig, loads
from intercom.config.render import toml_value

HEAD = "# Settings of the intercom. `sudo intercom setup` asks some; `intercom config example` shows them all.\n"


class DraftError(ValueError):
    """A text cannot become a configuration; the message is one sentence for people."""


def simple_next(config: Config) -> str | None:
    """Return the address that rings after the usual one; empty where none does, None where the plan is another."""
    if not config.call.plan:
        return ""
    address = config.call.plan[-1].ring[:1]
    simple = (StepConfig(name="usual"), StepConfig(name="next", ring=address))
    return address[0] if address and config.call.plan == simple else None


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

    def put(self, table: str, name: str, value: Any, *, always: bool = False) -> None:
        """Change a setting.

        A value that holds anyway is written only with `always`: a short file is easy to read.
        """
        old = getattr(getattr(self._before, table), name)
        written = self._document.get(table, {})
        if name not in written and value == old and not always:
            return
        said = list(value) if isinstance(value, tuple) else value
        if name in written and written[name] == said:
            return
        if table not in self._document:
            self._document[table] = tomlkit.table()
        self._document[table][name] = said
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
        if all(entry.url != url for entry in self._before.notify):
            self._append("notify", {"url": url})
            self.changes.append(f"notify: {url.partition('://')[0]} is told as well")

    def post(self, url: str, key: str) -> None:
        """Let a webhook tell a program, signed with this key if it is not empty; one that is there gets the key."""
        whom = f"a program at {urlsplit(url).hostname}"
        if all(entry.url != url for entry in self._before.webhook):
            self._append("webhook", {"url": url, "secret": key} if key else {"url": url})
            self.changes.append(f"webhook: {whom} is told")
        for number, entry in enumerate(self._before.webhook):
            if entry.url == url and key not in ("", entry.secret):
                self._document["webhook"][number]["secret"] = key
                self.changes.append(f"webhook: what {whom} is told is signed with this key")

    def _append(self, name: str, settings: Mapping[str, str]) -> None:
        """Add an entry to a list of tables."""
        entry = tomlkit.table()
        entry.update(settings)
        if name not in self._document:
            self._document[name] = tomlkit.aot()
        self._document[name].append(entry)

    def ring_next(self, address: str) -> None:
        """Let this address ring when nobody has answered at the usual one; empty: nobody."""
        usual = simple_next(self._before)
        if usual is None:
            raise DraftError("ring_next: the configuration has a plan of your own: change its [[call.plan]] entries")
        call = self._document.setdefault("call", tomlkit.table()) if address else self._document.get("call", {})
        if address == usual and ("plan" in call or not address):
            return
        call.pop("plan", None)
        if address:
            steps = tomlkit.aot()
            first, second = tomlkit.table(), tomlkit.table()
            first["name"], second["name"], second["ring"] = "usual", "next", [address]
            steps.append(first)
            steps.append(second)
            call["plan"] = steps
        self.changes.append(f"call.plan: {f'then {address} rings' if address else 'nobody rings after the usual one'}")

    def _load(self, text: str) -> Config:
        # Leave a variable as it is: in the service it stands for another place than here.
        try:
            return loads(text, self._directory, {})
        except ConfigError as error:
            first = error.problems[0]
            raise DraftError(f"{first.where}: {first.message}" if first.where else first.message) from error
