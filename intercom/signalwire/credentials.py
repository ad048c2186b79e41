"""Where the subscriber's token comes from (protocol.md §1)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec
from msgspec import Struct

from intercom.signalwire.errors import HttpError, InvalidCredentialsError, InvalidParamsError
from intercom.signalwire.http import request_json

# A token is a JWT of one or two kilobytes; a file or a command that gives more is the wrong one.
MAX_TOKEN_BYTES = 64 * 1024
# The end of the year 9999: what a token says beyond it is no time.
LATEST_S = 253_402_300_800.0
_HOST_NAME = re.compile(r"(?!.*\.\.)[0-9A-Za-z][0-9A-Za-z.-]{0,251}\.[0-9A-Za-z-]{1,63}(:[0-9]{1,5})?")
_PROJECT_TOKEN = re.compile(r"P[TS][0-9A-Za-z]{16,}")
# A command that asks a server of the owner's for a token; longer is a hang.
COMMAND_TIMEOUT_S = 30.0


class Credential(Struct, frozen=True):
    """A SAT (Subscriber Access Token). A secret."""

    token: str
    """A JWT."""
    expires_at: float | None = None
    """When it runs out, seconds since 1970; None when nobody says."""

    def __repr__(self) -> str:
        return f"Credential(expires_at={self.expires_at})"


class Hosts(Struct, frozen=True):
    """Where the service is."""

    relay_url: str = ""
    """wss://… (ws://localhost…); empty: as the token says."""
    api_url: str = ""
    """https://… (http://localhost…); empty: as the token says."""
    certificate: str | None = None
    """PEM; then the only trust anchor."""


class CredentialProvider(Protocol):
    """Gives a credential whenever one is needed.

    May also have `refresh() -> Credential`, to renew one (`authenticate` is used otherwise), `changed() ->
    bool`, true when a better one is there before the old one ends, and `hosts`, where it is good for.
    """

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """A credential; raises `InvalidCredentialsError` when there is none to be had.

        `fingerprint` is the RFC 7638 thumbprint of our DPoP key, for a token that is bound to it.
        """


class LinkCredentials(Protocol):
    """What the link asks its owner for, before each connection."""

    async def token(self, *, fresh: bool) -> str:
        """A SAT; `fresh`: the last one was refused."""

    async def proof(self, *, resuming: bool) -> str | None:
        """A DPoP proof for signalwire.connect, where one is needed."""

    async def relay(self, token: str) -> tuple[str, str | None]:
        """The URL of the relay that takes `token`, and its certificate if that is pinned."""


@runtime_checkable
class Refreshing(Protocol):
    """A provider that renews in its own way."""

    async def refresh(self) -> Credential:
        """A new credential in place of the last."""


@runtime_checkable
class Changing(Protocol):
    """A provider whose credential may be replaced from outside."""

    def changed(self) -> bool:
        """True when the last credential given is no longer the newest."""


@runtime_checkable
class HostKnowing(Protocol):
    """A provider that knows what service its credentials are for."""

    @property
    def hosts(self) -> Hosts:
        """Where that is."""


class StaticCredentials:
    """One token, for ever."""

    def __init__(self, token: str, expires_at: float | None = None) -> None:
        self._credential = Credential(_checked(token, "The token"), expires_at or expiry_of(token))

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """The token."""
        return self._credential


class TokenFileCredentials:
    """A token in a file, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """The token that is in the file now."""
        try:
            self._seen = self._stamp()
            text = _read(self._path)
        except OSError as error:
            why = error.strerror or str(error)
            raise InvalidCredentialsError(f"The token file {self._path} cannot be read: {why}.") from error
        return credential_from(text, f"The token file {self._path}")

    def changed(self) -> bool:
        """True when the file is another than the one last read."""
        try:
            return self._stamp() != self._seen
        except OSError:
            return False

    def _stamp(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_ino


class CommandCredentials:
    """A token from a program of the owner's.

    It prints the token, or JSON {"token", "expires_at"}; environment DPOP_FINGERPRINT holds our key's.
    """

    def __init__(self, command: Sequence[str], *, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        if not command:
            raise InvalidParamsError("The token command is empty; give a program and its arguments.")
        self._command = list(command)
        self._timeout_s = timeout_s

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """What the program prints."""
        name = f"The token command {self._command[0]}"
        environment = {**os.environ, "DPOP_FINGERPRINT": fingerprint or ""}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            raise InvalidCredentialsError(f"{name} cannot be started: {error.strerror}.") from error
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                output = await _read_all(process.stdout)
                status = await process.wait()
        except TimeoutError as error:
            raise HttpError(f"{name} printed nothing within {self._timeout_s:g} s.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status != 0:
            raise HttpError(f"{name} ended with status {status}; run it by hand to see why.")
        return credential_from(output.decode(errors="replace"), name)


class EndpointCredentials:
    """A token from an HTTPS endpoint of the owner's.

    POST {"fingerprint"} with `headers`; it answers {"token", "expires_at"}.
    """

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, certificate: str | None = None) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self._certificate = certificate

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """What the endpoint answers; 401 and 403 mean that it knows us no more."""
        body = {"fingerprint": fingerprint} if fingerprint else {}
        answer = await _ask(self._url, body=body, headers=self._headers, certificate=self._certificate)
        return _convert(answer, "The token endpoint")


class _SpaceFile(Struct, frozen=True):
    api_url: str
    relay_url: str
    device_secret: str
    subscriber: str = ""
    certificate: str | None = None


class SpaceCredentials:
    """A token from an embedded space that this device is paired with.

    `path` is the file that pairing wrote, mode 0600: JSON {"api_url", "relay_url", "subscriber",
    "device_secret", "certificate": PEM or null}. It is read again at every use.
    """

    def __init__(self, path: Path, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._wall_clock = wall_clock

    @property
    def hosts(self) -> Hosts:
        """As the file says."""
        file = self._read()
        return Hosts(file.relay_url, file.api_url, file.certificate)

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """A fresh token from the space; 401 and 403 mean that the pairing was undone."""
        file = self._read()
        body = {"fingerprint": fingerprint} if fingerprint else {}
        url = f"{file.api_url.rstrip('/')}/api/space/token"
        answer = await _ask(url, body=body, bearer=file.device_secret, certificate=file.certificate)
        credential = _convert(answer, "The space")
        lifetime_s = _lifetime_of(credential.token)
        if lifetime_s is None:
            return credential
        # By our own clock, which may be years from the space's: what is not renewed in time, the space ends.
        return Credential(credential.token, self._wall_clock() + lifetime_s)

    def _read(self) -> _SpaceFile:
        try:
            return msgspec.json.decode(_read(self._path), type=_SpaceFile)
        except FileNotFoundError as error:
            raise InvalidCredentialsError(
                f"{self._path} is not there: the house's own service writes it when it starts (`intercom space`); "
                "for a space on another machine, run `intercom space enrol FILE` there and copy the file."
            ) from error
        except OSError as error:
            why = error.strerror or str(error)
            raise InvalidCredentialsError(f"{self._path} cannot be read: {why}; pair this device.") from error
        except msgspec.MsgspecError as error:
            raise InvalidCredentialsError(
                f"{self._path} is no pairing file ({error}); pair this device again."
            ) from error


def credential_from(text: str, source: str) -> Credential:
    """Read a credential from text: the bare token, or JSON {"token", "expires_at"}."""
    text = text.strip()
    if text.startswith("{"):
        try:
            return _convert(msgspec.json.decode(text), source)
        except msgspec.MsgspecError as error:
            raise InvalidCredentialsError(f"{source} holds JSON that cannot be read.") from error
    return Credential(_checked(text, source), expiry_of(text))


def expiry_of(token: str) -> float | None:
    """When a JWT says that it runs out (RFC 7519, claim `exp`); None when it does not, or is encrypted."""
    expiry = _part_of(token, 1).get("exp")
    return float(expiry) if isinstance(expiry, int | float) and abs(expiry) < LATEST_S else None


def _lifetime_of(token: str) -> float | None:
    claims = _part_of(token, 1)
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if isinstance(issued_at, int | float) and isinstance(expires_at, int | float):
        return max(0.0, float(expires_at - issued_at))
    return None


def hosts_of(token: str) -> Hosts:
    """Where a token is good for, by the `ch` of its header (protocol.md §1)."""
    channel = _part_of(token, 0).get("ch")
    if not isinstance(channel, str) or not _HOST_NAME.fullmatch(channel):
        channel = "puc.signalwire.com"
    label, _, domain = channel.partition(".")
    return Hosts(f"wss://{label}.{domain}", f"https://fabric.{domain}")


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


async def _ask(url: str, **options: Any) -> Any:
    try:
        return await request_json("POST", url, **options)
    except HttpError as error:
        if error.status in {401, 403}:
            raise InvalidCredentialsError(f"{error} This device is not known there (any more).") from error
        raise


def _convert(answer: Any, source: str) -> Credential:
    try:
        credential = msgspec.convert(answer, Credential, strict=False)
    except msgspec.MsgspecError as error:
        raise InvalidCredentialsError(f"{source} gave no credential: {error}.") from error
    return Credential(_checked(credential.token, source), credential.expires_at or expiry_of(credential.token))


def _checked(token: str, source: str) -> str:
    token = token.strip()
    if not token or len(token) > MAX_TOKEN_BYTES or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidCredentialsError(f"{source} holds no token.")
    if _PROJECT_TOKEN.fullmatch(token):
        raise InvalidCredentialsError(
            f"{source} holds the API token of a whole project (PT…), which must not leave your server: "
            "mint a subscriber access token with it, and give that one."
        )
    return token


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_TOKEN_BYTES).decode(errors="replace")


async def _read_all(stream: asyncio.StreamReader) -> bytes:
    output = bytearray()
    while chunk := await stream.read(4096):
        output += chunk
        if len(output) > MAX_TOKEN_BYTES:
            break
    return bytes(output)
