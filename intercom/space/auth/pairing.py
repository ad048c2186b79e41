"""Makes the one-time codes with which a phone or tablet joins the house, short enough to type.

One device at a time claims a code, and it is used up once that device is named and has signed in at its socket: a phone
whose browser then refuses the socket, or whose page is lost on the way, leaves the code to the next try.

How safe ten characters are: a code is one of 32**10, about 1.1e15. A machine may guess ten times at once and then twice
a second (request_filter.py), ten times as often if it changes its IPv6 address all the while: at most 12 100 times
while a code is open. Programs on this machine may guess no faster. With all 36 codes open it finds one with a chance of
3.9e-10 in ten minutes. Machines without number are bounded by what the space can answer: even 5000 guesses a second
come to 1e-7.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from intercom.space.errors import ClaimedError, PairingError
from intercom.space.store.records import CodeClaimed, CodeLimits, Subscriber
from intercom.space.store.store import Store

CODE_LIFETIME_S: Final = 600.0
"""Lifetime of a code: enough to fetch the phone and scan; short for a photographed code."""
CLAIM_S: Final = 60.0
"""Time limit for a device that claimed a code to register over its socket; it does so within a second or never."""
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Characters of a code: Crockford's base 32, without U and letters that look like digits."""
CODE_CHARS: Final = 10
"""Length of a code: 50 bits; see above."""
GROUP_CHARS: Final = 5
"""Characters in a group when a code is shown: people read each group out in one breath."""
TYPED_LIMIT_CHARS: Final = 64
"""Limit of the text typed as a code; longer text is refused."""
CODE_LIMITS: Final = CodeLimits(one_maker=4, devices=32)
"""Limits of open codes: a new code replaces the oldest of its maker, and a device's code never the owner's."""
INVITED_LIMIT: Final = 32
"""Limit of devices let in by other devices: a stolen phone must not let in a crowd. The owner may let in more."""
UNNAMED: Final = "Station"
"""Default name of a device; the device may then choose its own."""

_LOOKS_LIKE: Final = str.maketrans("OIL", "011", " -\t\u00a0")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A URL and a code with which somebody joins."""

    url: str
    "The address to open; the code stands in its fragment, which browsers do not send and proxies do not log."
    code: str
    "The code, grouped for people."
    expires_at: float
    "Expiry time of the code, seconds since 1970."


class PairingCodes:
    """The open codes, kept in the store: every process on the same database sees them.

    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def invite(self, url: str, *, name: str = UNNAMED, maker: Subscriber | None = None) -> Invitation:
        """Return a new code of `maker`, or of the owner, for the space at `url`; it is valid once, for ten minutes.

        Raises `PairingError` when devices have let in as many others as they may.
        """
        if maker is not None and self._store.count_invited() >= INVITED_LIMIT:
            raise PairingError(
                f"Devices have let in {INVITED_LIMIT} others and may no more; `intercom space pair` makes a code."
            )
        now = self._now()
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
        self._store.codes.open(
            _hash(code),
            now=now,
            expires_at=now + CODE_LIFETIME_S,
            maker=maker.id if maker else None,
            limits=CODE_LIMITS,
        )
        fragment = {"pair": code} if name == UNNAMED else {"pair": code, "name": name}
        address = f"{url}/station/#{urlencode(fragment, quote_via=quote)}"
        return Invitation(address, f"{code[:GROUP_CHARS]}-{code[GROUP_CHARS:]}", now + CODE_LIFETIME_S)

    def claim(self, typed: str) -> CodeClaimed:
        """Claim a code for a device that joins, and return it; `claimed` says which device that is.

        The device has a minute to get all the way in, which uses the code up; another one may claim it after that.
        Raises `PairingError` when the code is not open, `ClaimedError` when another device's minute runs. Case, spaces
        and dashes do not matter.
        """
        wanted = _hash(typed[:TYPED_LIMIT_CHARS].upper().translate(_LOOKS_LIKE))
        now = self._now()
        # A code from the future was made before the clock was set back: its ten minutes cannot be told any more.
        found = [code for code in self._store.codes.known(now, now + CODE_LIFETIME_S) if _same(code, wanted)]
        if not found:
            raise PairingError("This pairing code is used or too old; ask the house for a new one.")
        claimed = self._store.codes.claim(found[0], now=now, until=now + CLAIM_S)
        if claimed is None:
            raise ClaimedError("Another device is just joining with this pairing code; try again in a minute.")
        return claimed


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)
