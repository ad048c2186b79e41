"""Finds this machine's names and addresses, for its certificate, for Host checks and for the URLs in its answers."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ifaddr

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_TEMPORARY: Final = 0x01
"""Flag of a temporary address: IFA_F_TEMPORARY of linux/if_addr.h."""


@dataclass(frozen=True, slots=True)
class Names:
    """The machine's names and addresses, for the certificate and for checking Host headers."""

    hosts: tuple[str, ...]
    "DNS names, lower case."
    addresses: tuple[IPAddress, ...]
    "IP addresses."

    def include(self, host: str) -> bool:
        """Return whether `host` (without port and brackets) is one of these, or a name below localhost (RFC 6761)."""
        host = host.lower().rstrip(".")
        try:
            return ipaddress.ip_address(host) in self.addresses
        except ValueError:
            return host in self.hosts or host.endswith(".localhost")

    @property
    def lasting_addresses(self) -> tuple[IPAddress, ...]:
        """The addresses for a certificate, without those of a provider's IPv6 prefix, which may change daily.

        Each new certificate is one that people trust by hand anew.
        """
        lasting = [ip for ip in self.addresses if ip.version == 4 or not ip.is_global]
        return tuple(lasting) if any(not ip.is_loopback for ip in lasting) else self.addresses


def loopback_names(more: Iterable[str] = ()) -> Names:
    """Return the names by which a machine reaches only itself (RFC 6761 §6.3), and `more`."""
    return _names(["localhost", "127.0.0.1", "::1", *more])


def network_names(more: Iterable[str] = (), addresses: Iterable[str] | None = None) -> Names:
    """Return the names by which the house reaches this machine: loopback, host name, its addresses, and `more`."""
    own = socket.gethostname().lower()
    found = interface_addresses() if addresses is None else addresses
    return _names(["localhost", "127.0.0.1", "::1", own, own if "." in own else f"{own}.local", *more, *found])


def interface_addresses() -> list[str]:
    """Return the addresses of this machine that others can reach for longer than a day."""
    temporary = _temporary_addresses()
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not address.is_link_local and address not in temporary:
                found.append(text)
    return found


def _names(candidates: Iterable[str]) -> Names:
    hosts: list[str] = []
    addresses: list[IPAddress] = []
    for name in candidates:
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            hosts.append(name.lower())
    return Names(tuple(dict.fromkeys(hosts)), tuple(dict.fromkeys(addresses)))


def _temporary_addresses() -> set[IPAddress]:
    """Return the kernel's one-day IPv6 privacy addresses (RFC 8981), which the space never hands out."""
    try:
        lines = Path("/proc/self/net/if_inet6").read_text(encoding="ascii").splitlines()
    except OSError:
        return set()
    fields = [line.split() for line in lines]
    return {ipaddress.IPv6Address(bytes.fromhex(field[0])) for field in fields if int(field[4], 16) & _TEMPORARY}
