"""The tokens of the HTTP API: a file with a role and a hash for each; the tokens themselves are kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from intercom import atomic_file
from intercom.control.roles import PROGRAM_ROLES

FILE: Final = "api-tokens.json"
"""Name of the file in the door's state directory, mode 0600."""
PREFIX: Final = "icm_"
"""Beginning of each token, by which people and scanners for leaked secrets know one."""
TOKENS_LIMIT: Final = 64
"""Limit of tokens: a house has a handful of programs."""
TOKEN_CHARS_LIMIT: Final = 128
DAYS_LIMIT: Final = 3650
"""Limit of the days for which a token is made: ten years; who wants more wants no end."""
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class TokenError(ValueError):
    """A token cannot be made, removed or read; the message says why."""


class Token(Struct, frozen=True):
    """What is kept of a token."""

    name: str
    """Name of the program that has it."""
    role: str
    """One of `PROGRAM_ROLES`; each may ask for what the one before it may, and more."""
    hash: str
    """SHA-256 of the token: 256 random bits cannot be guessed, so a plain hash suffices."""
    made_at: str
    """Time when it was made: ISO 8601, UTC."""
    ends_at: Annotated[datetime, Meta(tz=True)] | None = None
    """Time from which on it is worthless; None: it has no end."""

    def may(self, role: str) -> bool:
        """Return whether it may do what asks for this role."""
        return PROGRAM_ROLES.index(self.role) >= PROGRAM_ROLES.index(role)

    def is_over(self, now: datetime) -> bool:
        """Return whether its end has come."""
        return self.ends_at is not None and now >= self.ends_at


class Tokens:
    """The tokens in `path`, a file that the command line changes while the door runs."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._now = now
        self._seen: tuple[int, int, int] | None = None
        self._kept: tuple[Token, ...] = ()

    def all(self) -> tuple[Token, ...]:
        """Return the tokens now, those that are over as well. Raises TokenError when the file cannot be read."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._seen, self._kept = None, ()
            return ()
        except OSError as error:
            raise TokenError(f"{self._path} cannot be read: {error.strerror}") from error
        seen = found.st_mtime_ns, found.st_ino, found.st_size
        if seen != self._seen:
            self._kept = self._read()
            self._seen = seen
        return self._kept

    def find(self, token: str) -> Token | None:
        """Return what is kept of this token; None if it is worthless. Raises TokenError for an unreadable file."""
        if len(token) > TOKEN_CHARS_LIMIT or not token.isascii():
            return None
        sought = _hash(token)
        found = None
        for kept in self.all():  # all of them, so that the time tells nothing
            if hmac.compare_digest(kept.hash, sought):
                found = kept
        return None if found is None or found.is_over(self._now()) else found

    def is_good(self, token: Token) -> bool:
        """Return whether a token that was found is not worthless by now. Raises TokenError."""
        return token in self.all() and not token.is_over(self._now())

    def add(self, name: str, role: str, *, days: int = 0) -> str:
        """Make a token for so many days, 0 for ever, and return it; nobody can show it again. Raises TokenError."""
        if not 0 <= days <= DAYS_LIMIT:
            raise TokenError(f"expected from 1 to {DAYS_LIMIT} days")
        if _NAME.fullmatch(name) is None:
            raise TokenError("expected a name of up to 64 letters, digits and . _ ~ -")
        before = self.all()
        if any(kept.name == name for kept in before):
            raise TokenError(f"there is a token called {name} already: choose another name, or remove it first")
        if len(before) >= TOKENS_LIMIT:
            raise TokenError(f"there are {TOKENS_LIMIT} tokens already: remove one that nobody uses")
        token = PREFIX + secrets.token_urlsafe(32)
        now = self._now().replace(microsecond=0)
        ends_at = now + timedelta(days=days) if days else None
        self._write((*before, Token(name, role, _hash(token), now.isoformat(), ends_at)))
        return token

    def remove(self, name: str) -> None:
        """Make a token worthless at once. Raises TokenError when there is none of this name."""
        before = self.all()
        after = tuple(kept for kept in before if kept.name != name)
        if len(after) == len(before):
            raise TokenError("there is no token of this name; `intercom api token list` shows them")
        self._write(after)

    def _read(self) -> tuple[Token, ...]:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=tuple[Token, ...])
        except (OSError, msgspec.MsgspecError, UnicodeError) as error:
            raise TokenError(f"{self._path} cannot be read: {error}. Remove it and make the tokens anew") from error
        return tuple(token for token in kept if token.role in PROGRAM_ROLES)

    def _write(self, tokens: tuple[Token, ...]) -> None:
        try:
            atomic_file.replace(self._path, msgspec.json.format(msgspec.json.encode(tokens), indent=2))
        except OSError as error:
            raise TokenError(f"{self._path} cannot be written: {error.strerror}") from error


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
