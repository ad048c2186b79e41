"""The accounts of recorders and other viewers, in a file that only the door reads: name, password, and what they may.

The proofs of a password in these protocols (Digest, WS-UsernameToken) need the password itself, so that it cannot be
kept as a hash. The door makes each one, so that it opens nothing else and cannot be guessed from a proof.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intercom import atomic_file

logger = logging.getLogger(__name__)

FILE = "recorders.json"
MOST_ACCOUNTS = 32
"""Limit of the accounts: a house has a recorder, a dashboard and a few players."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
"""A name that every client can send."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits of a password: none is taken for another, and no client's URL needs them escaped."""
PASSWORD_LETTERS = 24
"""Length of a password, 118 bits: whoever records a proof of it guesses for ever."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account."""

    name: str
    """Name that the client sends."""
    password: str
    """Password, which nothing shows again."""
    talk: bool = False
    """Whether it may talk at the door."""
    open: bool = False
    """Whether it may open the door, by ONVIF."""


class AccountsError(OSError):
    """The accounts cannot be read or changed; the message says why and what to do."""


class Accounts:
    """The accounts in a door's state directory. A file that cannot be read admits nobody."""

    def __init__(self, state_dir: Path) -> None:
        self._file = state_dir / FILE
        self._accounts: dict[str, Account] = {}
        self._seen: tuple[int, ...] = ()
        self.follow()

    def __len__(self) -> int:
        return len(self._accounts)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def get(self, name: str) -> Account | None:
        """Return the account of this name."""
        return self._accounts.get(name)

    def follow(self) -> None:
        """Read the file where it is another than before: a command has changed it."""
        try:
            found = self._file.stat()
            seen: tuple[int, ...] = (found.st_mtime_ns, found.st_ino, found.st_size)
        except OSError:
            seen = ()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._accounts = self._read() if seen else {}
        except AccountsError as error:
            logger.warning("No recorder is admitted: %s", error)
            self._accounts = {}

    def _read(self) -> dict[str, Account]:
        try:
            found = json.loads(self._file.read_bytes())
            return {name: _account(name, row) for name, row in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            told = f"{self._file} cannot be read ({error}): remove it, and add the recorders anew"
            raise AccountsError(told) from error

    def add(self, name: str, *, talk: bool, opens: bool = False) -> Account:
        """Make an account with a new password; raises AccountsError."""
        self._accounts = self._read()
        if not NAME.fullmatch(name):
            raise AccountsError(f"{name!r} is no name of up to 32 letters, digits and . _ -")
        if name in self._accounts:
            raise AccountsError(f"there is a recorder named {name} already: choose another name, or remove it first")
        if len(self._accounts) >= MOST_ACCOUNTS:
            raise AccountsError(f"there are {MOST_ACCOUNTS} recorders already: remove one first")
        account = Account(name, "".join(secrets.choice(_LETTERS) for _ in range(PASSWORD_LETTERS)), talk, opens)
        self._keep({**self._accounts, name: account})
        return account

    def remove(self, name: str) -> None:
        """Remove the account of this name; raises AccountsError when there is none."""
        self._accounts = self._read()
        if name not in self._accounts:
            raise AccountsError(f"there is no recorder named {name!r}; `intercom recorder list` shows them")
        self._keep({other: account for other, account in self._accounts.items() if other != name})

    def _keep(self, accounts: dict[str, Account]) -> None:
        rows = {
            account.name: {"password": account.password, "talk": account.talk, "open": account.open}
            for account in accounts.values()
        }
        atomic_file.replace(self._file, json.dumps(rows, indent=1).encode(), owner_of=self._file.parent)
        self._accounts = accounts


def _account(name: str, row: Mapping[str, Any]) -> Account:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name")
    return Account(name, str(row["password"]), bool(row["talk"]), bool(row.get("open")))
