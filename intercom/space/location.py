"""Works out the addresses on which a space listens, the names that it accepts, and the addresses that it hands out."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import urlsplit

from intercom.net import authority, is_loopback, is_unspecified, split_listen
from intercom.space.errors import SpaceConfigError
from intercom.space.names import Names, interface_addresses, loopback_names, network_names


class Served(Protocol):
    """Settings of what is served: the `[space]` table, and whichever has the same."""

    @property
    def listen(self) -> str:
        """Return where it is served."""

    @property
    def tls(self) -> str:
        """Return `auto`, `on` or `off`."""

    @property
    def host_names(self) -> tuple[str, ...]:
        """Return more names of this machine."""

    @property
    def certificate(self) -> str:
        """Return the file of the owner's certificate, or an empty text."""

    @property
    def key(self) -> str:
        """Return the file of its key; empty: it is in the same file."""

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Return the reverse proxies that are believed."""

    @property
    def public_url(self) -> str:
        """Return what people open, where that is not its own address; else an empty text."""


class Location:
    """The space's addresses, which follow those of the machine.

    :param config: the `[space]` table, or another with the same settings.
    :param own_addresses: the machine's addresses now.
    Raises `SpaceConfigError` when it can listen nowhere so.
    """

    def __init__(self, config: Served, *, own_addresses: Callable[[], Iterable[str]] = interface_addresses) -> None:
        self._config = config
        self._own_addresses = own_addresses
        self.host, self.port = _split(config.listen)
        """Host and port on which the space listens; the port is the real one once the space has started."""
        self.loopback = is_loopback(self.host)
        """Whether only this machine reaches it."""
        self.encrypted = config.tls == "on" or (config.tls == "auto" and not self.loopback)
        """Whether the space speaks TLS itself."""
        self.only_proxied = not self.encrypted and not self.loopback
        """Whether a reverse proxy has to encrypt for it, and nobody else on the network may reach it."""
        self.certified: tuple[str, ...] = ()
        """The names in the owner's certificate, without wildcards; `follow` takes a change over."""
        self.names = self._read_names()
        """The names of the space now."""

    def follow(self) -> bool:
        """Read the machine's addresses again; return whether the names have changed."""
        before, self.names = self.names, self._read_names()
        return before != self.names

    @property
    def public_host(self) -> str:
        """The one name or address that the space gives to others."""
        if self.loopback:
            return "localhost"
        if self._config.host_names:
            return self._config.host_names[0]
        return self.certified[0] if self.certified else self.address or "localhost"

    @property
    def address(self) -> str | None:
        """The host on which the space listens, or the machine's first address if it listens on all, or None."""
        if not is_unspecified(self.host):
            return self.host
        found = [address for address in self.names.addresses if not address.is_loopback]
        return str(min(found, key=lambda address: address.version)) if found else None

    @property
    def url(self) -> str:
        """The space's URL, without a slash at the end."""
        return f"{'https' if self.encrypted else 'http'}://{authority(self.public_host, self.port)}"

    @property
    def relay_url(self) -> str:
        """The socket's URL."""
        return _socket_url(self.url)

    @property
    def public_url(self) -> str:
        """The URL that people open: the reverse proxy's if there is one."""
        if self._config.public_url:
            return self._config.public_url.rstrip("/")
        if self._config.trusted_proxies and not self.encrypted and self._config.host_names:
            return f"https://{authority(self._config.host_names[0])}"
        return self.url

    @property
    def device_urls(self) -> tuple[str, str]:
        """Return the URLs of the API and the socket for a device's credential file: never in clear over a network."""
        url = self.url
        if self.certified and not self.loopback:
            # By a name that the CA has signed, or by address: a door does not depend on the owner's certificate.
            named = (host for host in self._config.host_names if host not in self.certified)
            url = f"https://{authority(next(named, self.address or 'localhost'), self.port)}"
        elif not self.encrypted and not self.loopback:
            url = f"http://localhost:{self.port}" if is_unspecified(self.host) else self.public_url
        return url, _socket_url(url)

    def _read_names(self) -> Names:
        more = [*self._config.host_names, *self.certified]
        if self._config.public_url:
            more.append(urlsplit(self._config.public_url).hostname or "")
        if self.loopback:
            return loopback_names(more)
        if not is_unspecified(self.host):
            more.append(self.host)
        return network_names(more, self._own_addresses())


def turn_address(listen: str, own_addresses: Iterable[str]) -> tuple[str | None, int]:
    """Return the address on which a TURN server listens and relays, one that clients can reach; None without one.

    Raises `SpaceConfigError` for a host name: coturn wants addresses.
    """
    host, port = _split(listen)
    try:
        listening = ipaddress.ip_address(host)
    except ValueError as problem:
        raise SpaceConfigError(f"[space] turn_listen is {listen!r}; write an IP address and a port.") from problem
    if not listening.is_unspecified:
        return str(listening), port
    found = [ip for ip in map(ipaddress.ip_address, own_addresses) if ip.version == listening.version]
    return next((str(ip) for ip in found if not ip.is_loopback), None), port


def _split(listen: str) -> tuple[str, int]:
    try:
        host, port = split_listen(listen)
    except ValueError as problem:
        raise SpaceConfigError(
            f"[space] listen is {listen!r}; write address:port, such as 127.0.0.1:8480."
        ) from problem
    return ("127.0.0.1" if host == "localhost" else host), port


def _socket_url(url: str) -> str:
    return f"ws{url.removeprefix('http')}/"


def refuse_clear(location: Location, config: Served) -> None:
    """Raise `SpaceConfigError` where the space would speak in clear on the network, with no proxy that encrypts."""
    if location.only_proxied and not config.trusted_proxies:
        raise SpaceConfigError(
            '[space] tls = "off" would send the secrets of the house over the network in clear: leave it out, or '
            "name the reverse proxy that encrypts in [space] trusted_proxies."
        )
