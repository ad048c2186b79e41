"""Proofs of a password: WS-UsernameToken in messages, one-time Digest for the still and the opening. Each counts once.

A UsernameToken covers neither its message nor a word of ours: whoever holds a message back has a proof for another one.
So it opens nothing; the opening asks for a Digest that answers our challenge and covers the message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from intercom.integrations.onvif.soap import Token
from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.digest import COVERS_BODY, REALM, fields, proves

WINDOW_S = 300.0
"""Age of a proof up to which it counts, in both directions: clients set their clocks by GetSystemDateAndTime."""
MOST_SEEN = 4096
"""Limit of an account's remembered proofs. One is forgotten when it is too old to count; with more, none counts."""
CHALLENGE_S = 60.0
"""Age of a challenge up to which it admits a request."""
_NOBODY = Account("", secrets.token_hex(12))


class Proofs:
    """Judges the proofs in messages, and remembers those that were used."""

    def __init__(self, account_of: Callable[[str], Account | None], *, now: Callable[[], float] = time.time) -> None:
        self._account_of = account_of
        self._now = now
        self._seen: dict[str, dict[bytes, float]] = {}
        "times of the proofs that each account has shown"

    def account(self, token: Token | None) -> Account | None:
        """Return the account that a token proves, or None; a token counts once (WS-Security 1.0, 3.1)."""
        if token is None or max(map(len, (token.name, token.digest, token.nonce, token.created))) > 256:
            return None
        now_s = self._now()
        created_s = _time(token.created)
        account = self._account_of(token.name)
        try:
            nonce = base64.b64decode(token.nonce, validate=True)
        except (binascii.Error, ValueError):
            return None
        expected = digest(nonce, token.created, (account or _NOBODY).password)
        proved = hmac.compare_digest(expected.encode(), token.digest.encode())
        if not proved or account is None or created_s is None or created_s < now_s - WINDOW_S or len(nonce) < 8:
            return None
        proof = hashlib.sha256(nonce + token.created.encode()).digest()
        is_first = self._is_first(account.name, proof, created_s, now_s)
        return account if is_first and created_s <= now_s + WINDOW_S else None

    def _is_first(self, name: str, proof: bytes, created_s: float, now_s: float) -> bool:
        """Return whether a proof is new, and remember it: one of the future too, which would count later."""
        seen = self._seen.setdefault(name, {})
        if proof in seen:
            return False
        if len(seen) >= MOST_SEEN:
            seen = self._seen[name] = {each: at_s for each, at_s in seen.items() if at_s >= now_s - WINDOW_S}
        if len(seen) >= MOST_SEEN:
            latest = max(seen, key=seen.__getitem__)
            if seen[latest] <= now_s + WINDOW_S:
                return False
            del seen[latest]
        seen[proof] = created_s
        return True


def digest(nonce: bytes, created: str, password: str) -> str:
    """Return the proof of a password (WS-UsernameToken profile 1.0, 3.1)."""
    made = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()
    return base64.b64encode(made).decode()


def _time(created: str) -> float | None:
    try:
        found = datetime.fromisoformat(created)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


class Challenges:
    """One-time Digest for HTTP: a challenge admits one request, soon, so that a recorded one admits none.

    A challenge proves its own age, so that whoever asks for thousands takes nobody's away. Its clock never goes back.
    """

    def __init__(
        self, account_of: Callable[[str], Account | None], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._account_of = account_of
        self._now = now
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[str, float] = OrderedDict()

    def challenge(self, qop: str = "auth") -> str:
        """Return a value of WWW-Authenticate."""
        return f'Digest realm="{REALM}", nonce="{self._nonce(self._now(), secrets.token_hex(8))}", qop="{qop}"'

    def account(self, authorization: str, method: str, uri: str, body: bytes | None = None) -> Account | None:
        """Return the account that an Authorization header proves for this request, and for its body, or None."""
        said = fields(authorization)
        if body is not None and said.get("qop") != COVERS_BODY:
            return None
        nonce, now_s = said.get("nonce", ""), self._now()
        if said.get("uri") != uri or nonce in self._used or not self._is_fresh(nonce, now_s):
            return None
        account = proves(self._account_of, said, method, nonce, body or b"")
        if account is not None:
            self._use(nonce, now_s)
        return account

    def _nonce(self, at_s: float, salt: str) -> str:
        made = f"{int(at_s)}-{salt}"
        return f"{made}-{hmac.new(self._key, made.encode(), hashlib.sha256).hexdigest()[:32]}"

    def _is_fresh(self, nonce: str, now_s: float) -> bool:
        at, _, rest = nonce.partition("-")
        salt = rest.partition("-")[0]
        if not at.isdecimal() or len(nonce) > 100 or abs(now_s - int(at)) > CHALLENGE_S:
            return False
        return hmac.compare_digest(self._nonce(int(at), salt).encode(), nonce.encode())

    def _use(self, nonce: str, now_s: float) -> None:
        self._used[nonce] = now_s
        while next(iter(self._used.values())) < now_s - 2 * CHALLENGE_S:
            self._used.popitem(last=False)
