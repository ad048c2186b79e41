"""Checks proofs of possession of a device's key: DPoP (RFC 9449) in the forms of protocol §2."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from intercom.space.errors import TokenError

PROOF_LIMIT_CHARS: Final = 4096
PROOF_AGE_LIMIT_S: Final = 300
"""Limit of the difference between a proof's time and ours; two clocks of a house seldom differ by more."""
REMEMBERED_PROOFS: Final = 1_000
"""Limit of the proofs kept for each subscriber against replay. A subscriber that has shown as many in
ten minutes is refused: nobody can make the space forget a proof by showing others."""
_RSA_MODULUS_MIN_CHARS: Final = 342
"""Least length of an RSA modulus in base64url: 2048 bits, the size that protocol §2 names."""


def thumbprint(jwk: dict[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of an RSA public key: base64url of SHA-256, 43 characters."""
    try:
        canonical = json.dumps({"e": jwk["e"], "kty": jwk["kty"], "n": jwk["n"]}, separators=(",", ":"))
    except KeyError as missing:
        raise TokenError(f"The proof's key lacks {missing}; it must be an RSA public key.") from missing
    return _b64url(hashlib.sha256(canonical.encode()).digest())


class ProofChecker:
    """Checks proofs and remembers them, so that each is accepted only once.

    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: dict[str, OrderedDict[bytes, float]] = {}

    def http(self, proof: object, *, owner: str, method: str, path: str, jkt: str = "", access_token: str = "") -> str:
        """Check a proof of the subscriber `owner` for an HTTP call, made with the key `jkt` if given; return its key.

        `htu` may be the path alone, as the reference client writes it, or the whole URI (RFC 9449 §4.2).
        """
        claims, proven = self._open(proof)
        if claims.get("htm") != method or _path_of(claims.get("htu")) != path:
            raise TokenError("The proof is for another HTTP call.")
        if access_token and claims.get("ath") != _b64url(hashlib.sha256(access_token.encode()).digest()):
            raise TokenError("The proof is for another token.")
        if proven != (jkt or proven):
            raise TokenError("The proof is by another key than the token's.")
        self._once(owner, proven, claims)
        return proven

    def rpc(self, proof: object, *, owner: str, method: str, jkt: str) -> None:
        """Check a proof of the subscriber `owner`, made with the key `jkt`, for the JSON-RPC method `method`."""
        claims, proven = self._open(proof)
        if claims.get("rpc") != "request" or claims.get("mth") != method:
            raise TokenError("The proof is for another method.")
        if proven != jkt:
            raise TokenError("The proof is by another key than the token's.")
        self._once(owner, proven, claims)

    def _open(self, proof: object) -> tuple[dict[str, Any], str]:
        if not isinstance(proof, str) or not proof.isascii() or len(proof) > PROOF_LIMIT_CHARS:
            raise TokenError("The DPoP proof is missing or too long.")
        try:
            header = jwt.get_unverified_header(proof)
            jwk = header.get("jwk")
            if header.get("typ") != "dpop+jwt" or not isinstance(jwk, dict) or "d" in jwk:
                raise TokenError("The DPoP proof has no public key in its header.")
            if len(str(jwk.get("n", ""))) < _RSA_MODULUS_MIN_CHARS:
                raise TokenError("The DPoP key is too short; use RSA with 2048 bits.")
            claims: dict[str, Any] = jwt.decode(
                proof,
                jwt.PyJWK(jwk, algorithm="RS256").key,
                algorithms=["RS256"],
                options={"require": ["jti", "iat"], "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as problem:
            raise TokenError("The DPoP proof is not valid.") from problem
        return claims, thumbprint(jwk)

    def _once(self, owner: str, jkt: str, claims: dict[str, Any]) -> None:
        now, issued_at = self._now(), claims["iat"]
        in_time = now - PROOF_AGE_LIMIT_S, now + PROOF_AGE_LIMIT_S
        if not isinstance(issued_at, int | float) or not in_time[0] <= issued_at <= in_time[1]:  # NaN is neither
            raise TokenError("The DPoP proof is too old, or the clocks differ by more than five minutes.")
        for subscriber in list(self._seen):
            self._forget_old(subscriber, now)
        seen = self._seen.setdefault(owner, OrderedDict())
        proof = hashlib.sha256(f"{jkt} {claims['jti']}".encode(errors="backslashreplace")).digest()
        if proof in seen:
            raise TokenError("The DPoP proof was used before.")
        if len(seen) >= REMEMBERED_PROOFS:
            raise TokenError("This subscriber has shown too many proofs; wait ten minutes.")
        seen[proof] = now

    def _forget_old(self, owner: str, now: float) -> None:
        seen = self._seen[owner]
        while seen and abs(now - next(iter(seen.values()))) > 2 * PROOF_AGE_LIMIT_S:
            seen.popitem(last=False)
        if not seen:
            del self._seen[owner]


def _path_of(uri: object) -> str | None:
    """Return the path of a URI, or of a path alone; None when the text is no URI."""
    try:
        return urlsplit(str(uri)).path
    except ValueError:
        return None


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
