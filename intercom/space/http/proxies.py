"""Finds the asking machine, the asked name and path behind a reverse proxy: X-Forwarded-For, -Proto, -Host, -Prefix.

Home Assistant's ingress calls the path X-Ingress-Path; it is another one for each of its installations.

Only proxies that the configuration names are believed; from anybody else these headers are what a stranger wrote.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from intercom.net import authority, split_authority

_HOPS_LIMIT: Final = 16
"""Limit of proxies in a chain that are followed."""
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}){1,6}")
"""Form of a path that a proxy takes off: it stands in what is handed out."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Asker:
    """The machine that sends a request, and the name by which it asks, as far as both can be trusted."""

    address: str
    "The IP address of the machine that asks; empty when it is unknown."
    scheme: str
    "The scheme that the asking machine uses, http or https."
    host: str
    "The name by which the machine asks, lower case, without port and brackets."
    port: int | None
    "The port at which the machine asks; None when it names none."
    forwarded: bool
    "Whether a trusted proxy passed the request on."
    path: str = ""
    "The path under which the proxy serves the space, without a slash at the end; empty for a host of its own."

    @property
    def authority(self) -> str:
        """Host and port in the form of a URL, and nothing else."""
        return authority(self.host, self.port)

    @property
    def url(self) -> str:
        """The space's address for this machine, without a slash at the end."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def socket_origin(self) -> str:
        """The socket's scheme, host and port for this machine."""
        return f"{'wss' if self.scheme == 'https' else 'ws'}://{self.authority}"

    @property
    def socket_url(self) -> str:
        """The socket's URL for this machine."""
        return f"{self.socket_origin}{self.path}/"

    def is_site(self, scheme: str, port: int | None) -> bool:
        """Return whether a page of this scheme and port comes from the server that is asked."""
        return scheme == self.scheme and (port or DEFAULT_PORTS[scheme]) == (self.port or DEFAULT_PORTS[self.scheme])


class Proxies:
    """The trusted reverse proxies.

    :param trusted: their addresses and networks, such as 127.0.0.1 and 10.0.0.0/24.
    :param public_url: what people open; its path is one that the proxy of that host takes off again.
    """

    def __init__(self, trusted: Iterable[str], public_url: str = "") -> None:
        self._networks = [ipaddress.ip_network(each, strict=False) for each in trusted]
        public = urlsplit(public_url)
        self._host, self._path = public.hostname, public.path.rstrip("/")

    def trust(self, address: str) -> bool:
        """Return whether a proxy at this address is trusted."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return any((mapped or ip) in network for network in self._networks)

    def asker(self, request: web.Request) -> Asker:
        """Return the asker of a request; raises ValueError when the request names no host, or an impossible one."""
        address = request.remote or ""
        scheme, host = request.scheme, request.headers.get(hdrs.HOST, "")
        forwarded = self.trust(address)
        if forwarded:
            address = self.behind(address, request)
            scheme = _last(request, hdrs.X_FORWARDED_PROTO).lower() or scheme
            host = _last(request, hdrs.X_FORWARDED_HOST) or host
        if scheme not in DEFAULT_PORTS:
            raise ValueError(f"no scheme {scheme!r}")
        name, port = split_authority(host)
        name = name.lower().rstrip(".")
        path = self._path_of(request, name) if forwarded else ""
        return Asker(address, scheme, name, port, forwarded, path)

    def _path_of(self, request: web.Request, name: str) -> str:
        """Return the path that a trusted proxy takes off: what it says, else that of the public address."""
        for header in ("X-Ingress-Path", "X-Forwarded-Prefix"):
            said = request.headers.get(header, "").rstrip("/")
            if _PREFIX.fullmatch(said):
                return said
        return self._path if name == self._host else ""

    def behind(self, address: str, request: web.Request) -> str:
        """Return the machine behind a trusted proxy's `address`: the last in the chain that is not a trusted proxy."""
        headers = request.headers.getall(hdrs.X_FORWARDED_FOR, [])
        chain = [entry.strip().strip("[]") for header in headers for entry in header.split(",")]
        for hop in chain[: -_HOPS_LIMIT - 1 : -1]:
            try:
                ipaddress.ip_address(hop)
            except ValueError:
                return address
            address = hop
            if not self.trust(hop):
                return address
        return address


def _last(request: web.Request, name: str) -> str:
    """Return the nearest proxy's value: with several proxies it is the last."""
    found = request.headers.getall(name, [])
    return found[-1].split(",")[-1].strip() if found else ""
