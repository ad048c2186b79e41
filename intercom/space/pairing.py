"""One-time codes with which a phone or tablet joins the house, short enough to type.

How safe ten characters are: a code is one of 32**10, about 1.1e15. A machine may guess ten times at once and then twice
a second (guard.py), ten times as often if it changes its IPv6 address all the while: at most 12 100 times while a code
is open. Programs on this machine may guess no faster. With all 36 codes open it finds one with a chance of 3.9e-10 in
ten minutes. Machines without number are bounded by what the space can answer: even 5000 guesses a second come to 1e-7.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from intercom.space.errors import PairingError
from intercom.space.records import CodeLimits, CodeUsed, Subscriber
from intercom.space.store import Store

CODE_LIFETIME_S: Final = 600.0
"""Ten minutes: enough to fetch the phone and scan; little for a code that was photographed."""
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a digit, and no U."""
CODE_CHARS: Final = 10
"""50 bits; see above."""
GROUP_CHARS: Final = 5
"""How many characters of a code stand together when it is shown: two groups are read out in one breath each."""
TYPED_LIMIT_CHARS: Final = 64
"""What is longer is no code, however it was typed."""
CODE_LIMITS: Final = CodeLimits(one_maker=4, devices=32)
"""Codes open at once: the oldest gives way to a newer one of the same maker, and never the owner's to a device's."""
UNNAMED: Final = "Station"
"""The name of a device for which none was chosen; it then names itself."""

_LOOKS_LIKE: Final = str.maketrans("OIL", "011", " -\t\u00a0")


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody needs to join."""

    url: str
    "The address to open; the code stands in its fragment, which browsers do not send and proxies do not log."
    code: str
    "The code, as people read it."
    expires_at: float
    "Seconds since 1970."


class PairingCodes:
    """The codes that are open, kept in the store: every process beside the same database sees them.

    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def invite(self, url: str, *, name: str = UNNAMED, maker: Subscriber | None = None) -> Invitation:
        """A new code of `maker`, or of the owner, valid once and for ten minutes, for the space served at `url`."""
        now = self._now()
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
        self._store.open_code(
            _hash(code),
            now=now,
            expires_at=now + CODE_LIFETIME_S,
            maker=maker.id if maker else None,
            limits=CODE_LIMITS,
        )
        fragment = {"pair": code} if name == UNNAMED else {"pair": code, "name": name}
        address = f"{url}/station/#{urlencode(fragment, quote_via=quote)}"
        return Invitation(address, f"{code[:GROUP_CHARS]}-{code[GROUP_CHARS:]}", now + CODE_LIFETIME_S)

    def redeem(self, typed: str) -> CodeUsed:
        """Use a code up and tell whose it was; raises `PairingError` when it is not open.

        Case, spaces and dashes do not matter.
        """
        wanted = _hash(typed[:TYPED_LIMIT_CHARS].upper().translate(_LOOKS_LIKE))
        now = self._now()
        # A code from the future was made before the clock was set back: its ten minutes cannot be told any more.
        found = [code for code in self._store.open_codes(now, now + CODE_LIFETIME_S) if _same(code, wanted)]
        used = self._store.close_code(found[0]) if found else None
        if used is None:
            raise PairingError("This pairing code is used or too old; ask the house for a new one.")
        return used


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)
