"""Opens the socket: a thin shell around `websockets` with bounded frames and pings."""

from __future__ import annotations

import asyncio
import errno
import functools
import socket
import ssl
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, WebSocketException

from intercom.net import is_loopback
from intercom.signalwire.errors import InvalidParamsError, TransportError
from intercom.signalwire.link.dial import dial

PING_INTERVAL_S = 4.0
"""Interval of pings, answered within 4 s, with 1 s to close: a dead socket is noticed within 9 s."""
PING_TIMEOUT_S = 4.0
CLOSE_TIMEOUT_S = 1.0
OPEN_TIMEOUT_S = 10.0
MAX_SOCKET_FRAME_BYTES = 4 * 1024 * 1024
"""Size limit of a frame on the socket, to guard the memory; the session skips frames over its own, smaller limit."""
MAX_QUEUED_FRAMES = 16
_NO_CHECK_TIME = 0x200000
"""Flag X509_V_FLAG_NO_CHECK_TIME of OpenSSL: a Pi without a battery clock boots years in the past, so a pinned
certificate counts whatever its dates."""


class Socket(Protocol):
    """An open socket."""

    def send(self, text: str) -> None:
        """Send one frame without waiting; does nothing when the socket is gone, which ends `frames`."""

    @property
    def unsent_bytes(self) -> int:
        """Number of bytes that the kernel has not taken yet."""

    def frames(self) -> AsyncIterator[str | bytes]:
        """The frames that arrive; ends when the socket closes, and raises `TransportError` when it breaks."""

    async def close(self) -> None:
        """Close, within `CLOSE_TIMEOUT_S`."""


@runtime_checkable
class ProbedSocket(Protocol):
    """A `Socket` that can probe its other end."""

    async def is_alive(self, timeout_s: float) -> bool:
        """Return whether the other end answers in time, and this machine still has the socket's address."""


class Connector(Protocol):
    """Opens sockets."""

    async def __call__(self, url: str, certificate: str | None) -> Socket:
        """Open a socket, or raise `TransportError`. `certificate`: PEM, then the only trust anchor."""


class WebSocket:
    """A `Socket` of the `websockets` library."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, text: str) -> None:
        """Send one text frame without waiting."""
        broadcast((self._connection,), text)

    @property
    def unsent_bytes(self) -> int:
        """Number of bytes that the kernel has not taken yet."""
        return self._connection.transport.get_write_buffer_size()

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The frames that arrive."""
        try:
            async for frame in self._connection:
                yield frame
        except ConnectionClosedError as error:
            raise TransportError(f"The connection broke: {error}.") from error

    async def is_alive(self, timeout_s: float) -> bool:
        """Return whether a ping is answered in time; at once false when our address is gone."""
        if not _is_ours(self._connection.local_address):
            return False
        try:
            async with asyncio.timeout(timeout_s):
                await (await self._connection.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    async def close(self) -> None:
        """Close the socket, within the connection's own time limit."""
        await self._connection.close()


async def open_websocket(url: str, certificate: str | None = None) -> WebSocket:
    """Open a WebSocket to `url`; the `Connector` that the client uses unless told otherwise."""
    check_secure(url)
    context = ssl_context(certificate) if url.startswith("wss:") else None
    try:
        connection = await connect(
            url,
            sock=None if _needs_proxy(url) else await dial(*_host_and_port(url)),
            ssl=context,
            compression=None,
            max_size=MAX_SOCKET_FRAME_BYTES,
            max_queue=MAX_QUEUED_FRAMES,
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            proxy=True if _needs_proxy(url) else None,
        )
    except (OSError, TimeoutError, ValueError, WebSocketException) as error:  # ValueError: of a port beyond 65535
        raise TransportError(f"{_host(url)} cannot be reached: {error or type(error).__name__}.") from error
    return WebSocket(connection)


def ssl_context(certificate: str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the system's authorities, or only `certificate` (PEM)."""
    if certificate is None:
        return _trust_of_the_system(*_authorities_changed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=certificate)
    except (ssl.SSLError, TypeError, ValueError) as error:  # the latter two of a text that is not ASCII, or empty
        raise InvalidParamsError(f"The pinned certificate cannot be read as PEM: {error}.") from error
    context.verify_flags |= _NO_CHECK_TIME
    return context


@functools.lru_cache(maxsize=1)
def _trust_of_the_system(*_changed: int) -> ssl.SSLContext:
    return ssl.create_default_context()  # reads 140 certificates on Debian, for a quarter of a second on a small Pi


def _authorities_changed() -> list[int]:
    """Return what tells a change of the system's authorities; nothing while they are being replaced."""
    known = ssl.get_default_verify_paths()
    try:
        found = [Path(place).stat() for place in (known.cafile, known.capath) if place]
    except OSError:
        return []
    return [number for one in found for number in (one.st_mtime_ns, one.st_ino, one.st_size)]


def is_local(url: str) -> bool:
    """Return whether `url` points at this machine."""
    return is_loopback(urllib.parse.urlsplit(url).hostname or "")


def _needs_proxy(url: str) -> bool:
    """Return whether the environment names a proxy for it (https_proxy, no_proxy)."""
    parts = urllib.parse.urlsplit(url)
    scheme = "https" if parts.scheme == "wss" else "http"
    known = urllib.request.getproxies()
    if is_local(url) or not {scheme, "socks", "all"} & known.keys():
        return False
    return not urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2])


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)


def check_secure(url: str) -> None:
    """Refuse a URL over which a token would travel in the clear."""
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme in {"https", "wss"} or (scheme in {"http", "ws"} and is_local(url)):
        return
    raise InvalidParamsError(
        f"{_host(url)}: only https and wss are used beyond this machine, not {scheme or 'nothing'}; correct the URL."
    )


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc.rpartition("@")[2] or "The relay"


def _is_ours(address: Any) -> bool:
    """Return whether this machine still has the address of a socket; a closed socket has none."""
    if address is None:
        return False
    family = socket.AF_INET6 if len(address) == 4 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address[0], 0, *address[2:]))
    except OSError as error:
        return error.errno != errno.EADDRNOTAVAIL
    return True
