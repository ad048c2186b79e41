"""Tells push services from what else a subscription may name, so that no member aims the space at the LAN."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from intercom.net import authority, is_host
from intercom.space.errors import SubscriptionError

ENDPOINT_LIMIT_CHARS: Final = 1024
"""Length limit of an endpoint; Mozilla's and Google's have about 200 characters, Microsoft's 450."""
HTTPS_PORT: Final = 443
"""Port of every public push service."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a router translates to the IPv4 address in their last 32 bits (RFC 6052)."""


class PushServices:
    """The push services to which the space sends.

    :param own: "host:port" of push services in the owner's network (`space.push_servers`): these may lie at any
        address, and be spoken to without TLS.
    """

    def __init__(self, own: Iterable[str]) -> None:
        self._own = frozenset(own)

    def check(self, endpoint: str) -> str:
        """Return an endpoint that may be sent to; raises `SubscriptionError` for any other."""
        parts = _split(endpoint)
        try:
            host, port = parts.hostname or "", parts.port
        except ValueError as problem:
            raise SubscriptionError("The endpoint's port is no number from 0 to 65535.") from problem
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise SubscriptionError("An endpoint has no user, password or fragment.")
        if self._is_own(parts.scheme, host, port):
            return endpoint
        if parts.scheme != "https" or port not in {None, HTTPS_PORT}:
            raise SubscriptionError("A push service is spoken to by https on port 443.")
        if not is_host(host) or "." not in host.rstrip(".") or host.replace(".", "").isdigit():
            raise SubscriptionError("A push service has a public host name.")
        return endpoint

    def may_connect(self, host: str, port: int, address: str) -> bool:
        """Return whether a connection to `host` may go to this address, which its name has now."""
        return authority(host, port) in self._own or is_public(address)

    def _is_own(self, scheme: str, host: str, port: int | None) -> bool:
        number = port or {"http": 80, "https": HTTPS_PORT}.get(scheme, 0)
        return scheme in {"http", "https"} and authority(host, number) in self._own


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet, and leads to no other network by its form."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _split(endpoint: str) -> SplitResult:
    if len(endpoint) > ENDPOINT_LIMIT_CHARS or not endpoint.isascii() or not endpoint.isprintable():
        raise SubscriptionError(f"An endpoint has up to {ENDPOINT_LIMIT_CHARS} printable ASCII characters.")
    if any(sign in endpoint for sign in ' \\"<>^`{|}'):
        raise SubscriptionError("An endpoint is a URL.")
    try:
        return urlsplit(endpoint)
    except ValueError as problem:
        raise SubscriptionError("An endpoint is a URL.") from problem
