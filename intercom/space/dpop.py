"""Proof of possession of a device's key: DPoP (RFC 9449) in the forms of protocol §2."""

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
"""How far a proof's time may be from ours; two clocks of a house seldom differ by more."""
REMEMBERED_PROOFS: Final = 10_000
"""Proof ids kept against replay; at one proof a minute from 200 clients that is far more than five minutes."""
_RSA_MODULUS_MIN_CHARS: Final = 342
"""base64url length of a 2048-bit modulus, the size that protocol §2 names."""


def thumbprint(jwk: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint of an RSA public key: base64url of SHA-256, 43 characters."""
    try:
        canonical = json.dumps({"e": jwk["e"], "kty": jwk["kty"], "n": jwk["n"]}, separators=(",", ":"))
    except KeyError as missing:
        raise TokenError(f"The proof's key lacks {missing}; it must be an RSA public key.") from missing
    return _b64url(hashlib.sha256(canonical.encode()).digest())


class ProofChecker:
    """Checks proofs and remembers them, so that each serves once.

    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: OrderedDict[str, float] = OrderedDict()

    def http(self, proof: object, *, method: str, path: str, access_token: str = "") -> str:
        """Check a proof for an HTTP call; return the thumbprint of its key.

        `htu` may be the path alone, as the reference client writes it, or the whole URI (RFC 9449 §4.2).
        """
        claims, jkt = self._open(proof)
        if claims.get("htm") != method or urlsplit(str(claims.get("htu"))).path != path:
            raise TokenError("The proof is for another HTTP call.")
        if access_token and claims.get("ath") != _b64url(hashlib.sha256(access_token.encode()).digest()):
            raise TokenError("The proof is for another token.")
        return jkt

    def rpc(self, proof: object, *, method: str, jkt: str) -> None:
        """Check a proof by the key `jkt` for the JSON-RPC method `method`."""
        claims, proven = self._open(proof)
        if claims.get("rpc") != "request" or claims.get("mth") != method:
            raise TokenError("The proof is for another method.")
        if proven != jkt:
            raise TokenError("The proof is by another key than the token's.")

    def _open(self, proof: object) -> tuple[dict[str, Any], str]:
        if not isinstance(proof, str) or len(proof) > PROOF_LIMIT_CHARS:
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
        self._once(str(claims["jti"]), claims["iat"])
        return claims, thumbprint(jwk)

    def _once(self, jti: str, issued_at: object) -> None:
        now = self._now()
        if not isinstance(issued_at, int | float) or abs(now - issued_at) > PROOF_AGE_LIMIT_S:
            raise TokenError("The DPoP proof is too old, or the clocks differ by more than five minutes.")
        while self._seen and (
            len(self._seen) >= REMEMBERED_PROOFS or abs(now - next(iter(self._seen.values()))) > 2 * PROOF_AGE_LIMIT_S
        ):
            self._seen.popitem(last=False)
        if jti in self._seen:
            raise TokenError("The DPoP proof was used before.")
        self._seen[jti] = now


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
