"""Reads a subscriber access token (SAT): when it ends, and for which hosts it is (protocol.md §1)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec
from msgspec import Struct

from intercom.net import authority, split_authority
from intercom.signalwire.errors import InvalidCredentialsError

MAX_TOKEN_BYTES = 64 * 1024
"""Size limit of a token from a file or a command: a JWT has one or two kilobytes."""
LATEST_S = 253_402_300_800.0
"""Latest expiry time that is believed: the end of the year 9999."""
_PROJECT_TOKEN = re.compile(r"P[TS][0-9A-Za-z]{16,}")


class Credential(Struct, frozen=True):
    """A SAT (Subscriber Access Token). A secret."""

    token: str
    """A JWT."""
    expires_at: float | None = None
    """Expiry time, seconds since 1970; None when unknown."""

    def __repr__(self) -> str:
        return f"Credential(expires_at={self.expires_at})"


class Hosts(Struct, frozen=True):
    """The URLs of the service, and its certificate."""

    relay_url: str = ""
    """Relay URL, wss://… (ws://localhost…); empty: as the token says."""
    api_url: str = ""
    """API URL, https://… (http://localhost…); empty: as the token says."""
    certificate: str | None = None
    """Pinned certificate as PEM, the only trust anchor if given."""


def credential_from(text: str, source: str) -> Credential:
    """Return the credential in a text: the bare token, or JSON {"token", "expires_at"}."""
    text = text.strip()
    if text.startswith("{"):
        try:
            return converted(msgspec.json.decode(text), source)
        except msgspec.MsgspecError as error:
            raise InvalidCredentialsError(f"{source} holds JSON that cannot be read.") from error
    return Credential(checked(text, source), expiry_of(text))


def expiry_of(token: str) -> float | None:
    """Return the expiry time of a JWT (RFC 7519, claim `exp`); None when it has none, or is encrypted."""
    expiry = _part_of(token, 1).get("exp")
    return float(expiry) if isinstance(expiry, int | float) and abs(expiry) < LATEST_S else None


def lifetime_of(token: str) -> float | None:
    """Return for how long a JWT is valid from its issue on, in seconds; None when it does not say."""
    claims = _part_of(token, 1)
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if isinstance(issued_at, int | float) and isinstance(expires_at, int | float):
        return max(0.0, float(expires_at - issued_at))
    return None


def hosts_of(token: str) -> Hosts:
    """Return the hosts that a token is for, by the `ch` of its header (protocol.md §1)."""
    channel = _part_of(token, 0).get("ch")
    try:
        host, port = split_authority(channel if isinstance(channel, str) else "")
    except ValueError:
        host, port = "", None
    label, _, domain = host.rstrip(".").partition(".")
    if not domain:
        label, domain, port = "puc", "signalwire.com", None
    return Hosts(f"wss://{authority(f'{label}.{domain}', port)}", f"https://{authority(f'fabric.{domain}', port)}")


def _part_of(token: str, index: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) <= index:
        return {}
    part = parts[index]
    try:
        value = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def converted(answer: Any, source: str) -> Credential:
    """Return the credential in an answer {"token", "expires_at"}; raises `InvalidCredentialsError`."""
    try:
        credential = msgspec.convert(answer, Credential, strict=False)
    except msgspec.MsgspecError as error:
        raise InvalidCredentialsError(f"{source} gave no credential: {error}.") from error
    return Credential(checked(credential.token, source), credential.expires_at or expiry_of(credential.token))


def checked(token: str, source: str) -> str:
    """Return a token without the space around it; raises `InvalidCredentialsError` if it is none, or a project's."""
    token = token.strip()
    if not token or len(token) > MAX_TOKEN_BYTES or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidCredentialsError(f"{source} holds no token.")
    if _PROJECT_TOKEN.fullmatch(token):
        raise InvalidCredentialsError(
            f"{source} holds the API token of a whole project (PT…), which must not leave your server: "
            "mint a subscriber access token with it, and give that one."
        )
    return token
