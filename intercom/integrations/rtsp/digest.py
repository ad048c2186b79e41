"""Digest authentication (RFC 2617), as every client of RTSP and every recorder's HTTP speaks it. No I/O.

A nonce lives and dies with its connection, so that an answer that somebody recorded is worth nothing on another one.
MD5 is what these clients know; it protects a password of 118 random bits well enough (`accounts.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

from intercom.integrations.rtsp.accounts import Account

REALM = "intercom"
COVERS_BODY = "auth-int"
"""The `qop` of an answer that covers the body of its request as well."""
MOST_HEADER = 2000
"""Limit of an Authorization header in characters."""
_NOBODY = Account("", secrets.token_hex(12))
"""Account whose password is compared for an unknown name, so that the time it takes tells nothing."""
_FIELD = re.compile(r'([a-z]{1,20})\s*=\s*(?:"([^"]*)"|([^\s,"]*))')


class Digest:
    """Admits the accounts' owners to one connection."""

    def __init__(self, account_of: Callable[[str], Account | None]) -> None:
        self._account_of = account_of
        self._nonce = secrets.token_hex(16)

    @property
    def challenge(self) -> str:
        """Value of WWW-Authenticate."""
        return f'Digest realm="{REALM}", nonce="{self._nonce}"'

    def account(self, authorization: str, method: str) -> Account | None:
        """Return the account that an Authorization header proves, or None."""
        said = fields(authorization)
        return proves(self._account_of, said, method, self._nonce) if said.get("nonce") == self._nonce else None


def fields(authorization: str) -> dict[str, str]:
    """Return the fields of an Authorization header; none of one that is no Digest, or is too long to be one."""
    kind, _, rest = authorization.partition(" ")
    if kind.lower() != "digest" or len(authorization) > MOST_HEADER or not authorization.isascii():
        return {}
    return {found[1].lower(): found[2] or found[3] or "" for found in _FIELD.finditer(rest)}


def proves(
    account_of: Callable[[str], Account | None], said: dict[str, str], method: str, nonce: str, body: bytes = b""
) -> Account | None:
    """Return the account that these fields prove, or None."""
    account = account_of(said.get("username", ""))
    expected = answer(account or _NOBODY, method, said, nonce, body)
    return account if hmac.compare_digest(expected.encode(), said.get("response", "").lower().encode()) else None


def answer(account: Account, method: str, said: dict[str, str], nonce: str, body: bytes = b"") -> str:
    """Return the answer of whoever knows the account's password to a challenge with this nonce (section 3.2.2)."""
    secret = _hash(f"{account.name}:{REALM}:{account.password}")
    covered = f":{hashlib.md5(body, usedforsecurity=False).hexdigest()}" if said.get("qop") == COVERS_BODY else ""
    asked = _hash(f"{method}:{said.get('uri', '')}{covered}")
    if said.get("qop"):
        return _hash(f"{secret}:{nonce}:{said.get('nc', '')}:{said.get('cnonce', '')}:{said['qop']}:{asked}")
    return _hash(f"{secret}:{nonce}:{asked}")


def _hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
