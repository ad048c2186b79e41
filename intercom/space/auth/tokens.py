"""Issues and checks the space's tokens: SATs, client-bound SATs and the state that resumes a session.

A SAT is a JWT (RFC 7519) signed with ES256, whose header carries `ch` (protocol §1). All times are seconds
since 1970 from the clock that is passed in.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from intercom.space.auth.dpop import ProofChecker
from intercom.space.errors import TokenError
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store

TOKEN_LIMIT_CHARS: Final = 4096
REFRESH_SCOPE: Final = "sat:refresh"
"""Scope that lets a client bind its token to a key (protocol §2)."""
UNBOUND_LIFETIME_S: Final = 60
"""Lifetime limit of a token that whoever has it may bind to their own key: a page binds it within seconds."""
REFRESH_EXTRA_S: Final = 300
"""Time for which a refresh token outlives its SAT, so that a server renews it after its end too."""
STATE_LIFETIME_S: Final = 86_400
"""Lifetime of a resume state; past it a client connects afresh and loses nothing."""
GRACE_S: Final = 60
"""Time for which a session outlives its token: an outage that prevents its renewal, and several attempts after."""
CLOCK_SLACK_S: Final = 60
"""Limit of a backward step of this machine's clock beyond which its own tokens look like those of another time."""
_SAT_AUDIENCE: Final = "space"
_STATE_AUDIENCE: Final = "resume"
_REFRESH_AUDIENCE: Final = "refresh"


@dataclass(frozen=True, slots=True)
class Grant:
    """The subscriber, scope and lifetime of a valid SAT."""

    subscriber: Subscriber
    "The subscriber that the token is for."
    jti: str
    "The token's own id."
    expires_at: int
    "Expiry time of the token, seconds since 1970."
    scope: tuple[str, ...] = ()
    "Further scopes of the token."
    jkt: str = ""
    "RFC 7638 thumbprint of the key that the token is bound to; empty when unbound."
    fingerprint: str = ""
    "Thumbprint of the only key to which the token may be bound; empty when any may."
    lasts_s: float = math.inf
    "Remaining time for which the token allows a session; 0 when it has expired."


class TokenAuthority:
    """Signs and checks tokens with the key kept in the store.

    :param store: holds the key and knows the subscribers.
    :param now: the time of day, seconds since 1970.
    :param lifetime_s: how long a SAT lasts unless its request says less.
    """

    def __init__(self, store: Store, *, now: Callable[[], float], lifetime_s: int) -> None:
        self._store = store
        self._now = now
        self.lifetime_s = lifetime_s
        self.space_id = store.value("space_id", lambda: secrets.token_hex(16))
        self.project_id = store.value("project_id", lambda: secrets.token_hex(16))
        self.channel_host = ""
        """Value of the SAT header's `ch`; set when the space knows its port."""
        self.proofs = ProofChecker(now=now)
        key = serialization.load_pem_private_key(store.value("signing_key", _new_key).encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TokenError("The space's signing key is no elliptic-curve key; move the database away.")
        self._key = key
        self._public_key = key.public_key()

    def issue(
        self,
        subscriber: Subscriber,
        *,
        lifetime_s: int | None = None,
        scope: Sequence[str] = (),
        jkt: str = "",
        fingerprint: str = "",
    ) -> tuple[str, int]:
        """Return a SAT for `subscriber` and its expiry time; the space's own lifetime is the longest."""
        now = int(self._now())
        unbound = REFRESH_SCOPE in scope and not jkt and not fingerprint
        longest_s = min(self.lifetime_s, UNBOUND_LIFETIME_S) if unbound else self.lifetime_s
        expires_at = now + min(lifetime_s or longest_s, longest_s)
        claims: dict[str, Any] = {
            "iss": self.space_id,
            "aud": _SAT_AUDIENCE,
            "sub": subscriber.id,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": expires_at,
        }
        if scope:
            claims["scope"] = list(scope)
        if jkt:
            claims["cnf"] = {"jkt": jkt}
        if fingerprint:
            claims["fingerprint"] = fingerprint
        header = {"typ": "SAT", "ch": self.channel_host}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=header), expires_at

    def refresh_token(self, subscriber: Subscriber, *, scope: Sequence[str], fingerprint: str) -> str:
        """Return a token for which a server that holds the project's token gets a new SAT of the same kind."""
        lasts_s = min(self.lifetime_s + REFRESH_EXTRA_S, STATE_LIFETIME_S)
        claims = {
            "aud": _REFRESH_AUDIENCE,
            "sub": subscriber.id,
            "exp": int(self._now()) + lasts_s,
            "scope": list(scope),
            "fingerprint": fingerprint,
        }
        return jwt.encode(claims, self._key, algorithm="ES256")

    def check_refresh_token(self, token: object) -> tuple[Subscriber, list[str], str]:
        """Return the subscriber, scope and fingerprint of a refresh token; raises `TokenError` when it is invalid."""
        claims = self._claims(token, _REFRESH_AUDIENCE, even_expired=False)
        return self._owner(claims), list(claims["scope"]), str(claims["fingerprint"])

    def check(self, token: object, *, even_expired: bool = False) -> Grant:
        """Return the grant of `token`; raises `TokenError` when the token is invalid."""
        claims = self._claims(token, _SAT_AUDIENCE, even_expired=even_expired)
        return Grant(
            self._owner(claims),
            str(claims.get("jti", "")),
            int(claims["exp"]),
            tuple(claims.get("scope", ())),
            str(claims.get("cnf", {}).get("jkt", "")),
            str(claims.get("fingerprint", "")),
            claims["exp"] + GRACE_S - self._now() if self._in_time(claims["exp"], self.lifetime_s) else 0.0,
        )

    def admit(self, token: object, proof: object, *, method: str, even_expired: bool) -> Grant:
        """Check a SAT and, if it is bound to a key, its proof for the JSON-RPC method `method`; return the grant."""
        grant = self.check(token, even_expired=even_expired)
        if grant.jkt:
            self.proofs.rpc(proof, owner=grant.subscriber.id, method=method, jkt=grant.jkt)
        return grant

    def resume_state(self, protocol: str, subscriber: Subscriber, lasts_s: float) -> str:
        """Return the authorization state with which `subscriber` resumes the session `protocol` (protocol §3).

        Beside a token that has run out it is good for the `lasts_s` that the last good token allows.
        """
        now = self._now()
        claims = {
            "aud": _STATE_AUDIENCE,
            "sub": subscriber.id,
            "exp": int(now) + STATE_LIFETIME_S,
            "until": now + min(lasts_s, STATE_LIFETIME_S),
            "protocol": protocol,
        }
        return jwt.encode(claims, self._key, algorithm="ES256")

    def check_resume_state(self, state: object, protocol: str, subscriber: Subscriber) -> float:
        """Check that `state` resumes exactly this session; return its remaining lifetime, whatever the token says.

        Raises `TokenError` when it does not.
        """
        claims = self._claims(state, _STATE_AUDIENCE, even_expired=False)
        if claims["sub"] != subscriber.id or claims.get("protocol") != protocol:
            raise TokenError("The authorization state belongs to another session.")
        left_s = float(claims.get("until", 0.0)) - self._now()
        return left_s if left_s <= self.lifetime_s + GRACE_S + CLOCK_SLACK_S else 0.0

    def _claims(self, token: object, audience: str, *, even_expired: bool) -> dict[str, Any]:
        if not isinstance(token, str) or not token.isascii() or len(token) > TOKEN_LIMIT_CHARS:
            raise TokenError("The token is missing or too long.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public_key,
                algorithms=["ES256"],
                audience=audience,
                # Times are judged below, by the clock that was passed in; iat is not judged at all, because a
                # machine without a battery clock jumps by years: how long is left must be what such a token can last.
                options={"require": ["sub", "exp", "aud"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as problem:
            raise TokenError("The token is not one of this space.") from problem
        longest_s = self.lifetime_s if audience == _SAT_AUDIENCE else STATE_LIFETIME_S
        if not even_expired and not self._in_time(claims["exp"], longest_s):
            raise TokenError("The token has expired, or was made when the clock was wrong; get a new one.")
        return claims

    def _owner(self, claims: dict[str, Any]) -> Subscriber:
        subscriber = self._store.subscriber_by_id(str(claims["sub"]))
        if subscriber is None:
            raise TokenError("The token's subscriber is no longer in this space.")
        return subscriber

    def _in_time(self, expires_at: float, longest_s: float) -> bool:
        """Return whether the token is not expired and a clock like ours can have issued it."""
        return 0 < expires_at - self._now() <= longest_s + CLOCK_SLACK_S


def _new_key() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
