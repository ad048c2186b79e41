"""Provides the subscriber's credential: a token from a file, a command, an endpoint or a space (protocol.md §1)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec
from msgspec import Struct

from intercom import atomic_file
from intercom.signalwire.account.access_token import (
    MAX_TOKEN_BYTES,
    Credential,
    Hosts,
    checked,
    converted,
    credential_from,
    expiry_of,
    lifetime_of,
)
from intercom.signalwire.account.http import request_json
from intercom.signalwire.errors import HttpError, InvalidCredentialsError, InvalidParamsError, SignalWireError
from intercom.signalwire.link.transport import ssl_context

logger = logging.getLogger(__name__)

COMMAND_TIMEOUT_S = 30.0
"""Time limit for the owner's command, which may ask a server for a token."""


class CredentialProvider(Protocol):
    """Returns a credential whenever one is needed.

    May also have `refresh() -> Credential`, to renew one (`authenticate` is used otherwise), `changed() ->
    bool`, true when a better one is there before the old one ends, and `hosts`, where it is good for.
    """

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """Return a credential; raises `InvalidCredentialsError` when none is available.

        `fingerprint` is the RFC 7638 thumbprint of our DPoP key, for a token that is bound to it.
        """


class LinkCredentials(Protocol):
    """Supplies the link with a token, a proof and a relay before each connection."""

    async def token(self, *, fresh: bool) -> str:
        """Return a SAT; `fresh`: the service refused the last one."""

    async def proof(self, *, resuming: bool) -> str | None:
        """Return a DPoP proof for signalwire.connect if one is needed."""

    async def relay(self, token: str) -> tuple[str, str | None]:
        """Return the URL of the relay for `token`, and its pinned certificate if there is one."""


@runtime_checkable
class Refreshing(Protocol):
    """A provider with its own way of renewal."""

    async def refresh(self) -> Credential:
        """Return a new credential in place of the last."""


@runtime_checkable
class Changing(Protocol):
    """A provider whose credential may be replaced from outside."""

    def changed(self) -> bool:
        """Return whether the provider has a newer credential than the last one given."""


@runtime_checkable
class HostKnowing(Protocol):
    """A provider that knows the service that its credentials are for."""

    @property
    def hosts(self) -> Hosts:
        """The hosts of that service."""


@contextlib.contextmanager
def provider_asked() -> Iterator[None]:
    """Turn each error of an owner's provider into one of ours; any but a refusal may be temporary."""
    try:
        yield
    except SignalWireError:
        raise
    except Exception as error:
        raise HttpError(f"The credential provider failed with {type(error).__name__}.") from error


class StaticCredentials:
    """Provides one fixed token."""

    def __init__(self, token: str, expires_at: float | None = None) -> None:
        self._credential = Credential(checked(token, "The token"), expires_at or expiry_of(token))

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """Return the token."""
        return self._credential


class TokenFileCredentials:
    """Provides the token in a file, which is read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """Return the token that is in the file now."""
        try:
            self._seen = self._stamp()
            text = _read(self._path)
        except OSError as error:
            why = error.strerror or str(error)
            raise InvalidCredentialsError(f"The token file {self._path} cannot be read: {why}.") from error
        return credential_from(text, f"The token file {self._path}")

    def changed(self) -> bool:
        """Return whether the file has changed since it was last read."""
        try:
            return self._stamp() != self._seen
        except OSError:
            return False

    def _stamp(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_ino


class CommandCredentials:
    """Provides a token from a program of the owner's.

    It prints the token, or JSON {"token", "expires_at"}; environment DPOP_FINGERPRINT holds our key's.
    """

    def __init__(self, command: Sequence[str], *, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        if not command:
            raise InvalidParamsError("The token command is empty; give a program and its arguments.")
        self._command = list(command)
        self._timeout_s = timeout_s

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """Run the program and return the credential that it prints."""
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
    """Provides a token from an HTTPS endpoint of the owner's.

    POST {"fingerprint"} with `headers`; it answers {"token", "expires_at"}.
    """

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, certificate: str | None = None) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self._certificate = certificate

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """Return the credential from the endpoint; 401 and 403 mean that the endpoint no longer accepts this device."""
        body = {"fingerprint": fingerprint} if fingerprint else {}
        answer = await _ask(self._url, body=body, headers=self._headers, certificate=self._certificate)
        return converted(answer, "The token endpoint")


class _SpaceFile(Struct, frozen=True):
    api_url: str
    relay_url: str
    device_secret: str
    subscriber: str = ""
    certificate: str | None = None


class SpaceCredentials:
    """Provides a token from the embedded space that this device is paired with.

    `path` is the file that pairing wrote, mode 0600: JSON {"api_url", "relay_url", "subscriber",
    "device_secret", "certificate": PEM or null}. It is read again at every use.
    """

    def __init__(self, path: Path, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._wall_clock = wall_clock

    @property
    def hosts(self) -> Hosts:
        """The hosts that the pairing file names."""
        file = self._read()
        return Hosts(file.relay_url, file.api_url, file.certificate)

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        """Return a fresh token from the space; 401 and 403 mean that the pairing was removed."""
        file = self._read()
        body = {"fingerprint": fingerprint} if fingerprint else {}
        url = f"{file.api_url.rstrip('/')}/api/space/token"
        answer = await _ask(url, body=body, bearer=file.device_secret, certificate=file.certificate)
        credential = converted(answer, "The space")
        self._keep_certificate(file, answer)
        lifetime_s = lifetime_of(credential.token)
        if lifetime_s is None:
            return credential
        # By our own clock, which may be years from the space's: what is not renewed in time, the space ends.
        return Credential(credential.token, self._wall_clock() + lifetime_s)

    async def ask(self, method: str, path: str, *, data: bytes = b"") -> Any:
        """Ask the space's own API as this device, with `data`, and return its JSON answer; raises SignalWireError."""
        file = self._read()
        url = file.api_url.rstrip("/") + path
        return await request_json(method, url, data=data, bearer=file.device_secret, certificate=file.certificate)

    def _keep_certificate(self, file: _SpaceFile, answer: Any) -> None:
        """Keep what the space says that it will be known by, if the file pins something else.

        The answer came from the space that the file trusts. A file of another user is left alone: the space on this
        machine writes it by itself.
        """
        said = answer.get("certificate") if isinstance(answer, dict) else None
        if file.certificate is None or said == file.certificate or not _is_pem(said):
            return
        try:
            found = self._path.stat()
            if found.st_uid == os.geteuid():
                content = {**msgspec.json.decode(_read(self._path)), "certificate": said}
                data = msgspec.json.format(msgspec.json.encode(content), indent=2)
                atomic_file.replace(self._path, data, mode=stat.S_IMODE(found.st_mode))
        except (OSError, msgspec.MsgspecError) as error:
            logger.warning("What the space is to be known by from now on cannot be kept in %s: %s.", self._path, error)

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


def _is_pem(text: Any) -> bool:
    """Return whether a text holds certificates that a TLS client can trust."""
    if not isinstance(text, str) or len(text) > MAX_TOKEN_BYTES // 4:
        return False
    try:
        ssl_context(text)
    except InvalidParamsError:
        return False
    return True


async def _ask(url: str, **options: Any) -> Any:
    try:
        return await request_json("POST", url, **options)
    except HttpError as error:
        if error.status in {401, 403}:
            raise InvalidCredentialsError(f"{error} This device is not known there (any more).") from error
        raise


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
